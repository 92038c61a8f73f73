//! Measures the worker beside a bare loop of `posix_spawn` and `waitpid`, in one run: a number of
//! `true` commands, two at a time. Rounds alternate, and each has its own ratio. On a machine that
//! others use too, the processor time a command is the steadier number.
//!
//! `cargo run --release -p loom-worker --example spawn [COMMANDS] [ROUNDS]`

use loom_protocol::{AttemptId, AttemptNews, AttemptReport, AttemptRequest, StopHow};
use loom_worker::{Builtins, Immediate, Reporter, Worker, WorkerOptions};
use std::ffi::CString;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::time::Instant;

/// How many processes run at once.
const LANES: usize = 2;

/// Tells when the last command has ended, so that nobody is woken before.
struct Count {
    left: AtomicUsize,
    done: mpsc::Sender<()>,
}

impl Reporter for Count {
    fn report(&self, reports: Vec<AttemptReport>) {
        let mut ended = 0;
        for report in reports {
            match report.news {
                AttemptNews::Began(_) => {}
                AttemptNews::Succeeded(_) => ended += 1,
                news => panic!("{news:?}"),
            }
        }
        if self.left.fetch_sub(ended, Ordering::AcqRel) == ended {
            self.done.send(()).expect("the main thread waits for the end");
        }
    }
}

fn main() {
    let mut arguments = std::env::args().skip(1).map(|text| text.parse().expect("a number"));
    let commands = arguments.next().unwrap_or(1000);
    let rounds = arguments.next().unwrap_or(9);
    let worker = Worker::new(WorkerOptions::default(), Arc::new(Builtins::default()))
        .expect("a thread can be made");
    let mut ratios = Vec::new();
    for round in 0..rounds {
        let (bare, bare_cpu) = measured(commands, || bare(commands));
        let (ours, our_cpu) = measured(commands, || worked(&worker, round, commands));
        let ratio = ours / bare;
        ratios.push(ratio);
        report(&format!(
            "bare {bare:>5.0}/s {bare_cpu:>4.0} µs   worker {ours:>5.0}/s {our_cpu:>4.0} µs   \
             ratio {ratio:.3}, of processor time {:.3}",
            bare_cpu / our_cpu
        ));
    }
    worker.shutdown(StopHow::Now);
    ratios.sort_by(f64::total_cmp);
    report(&format!("median ratio {:.3}", ratios[ratios.len() / 2]));
}

#[expect(clippy::print_stdout, reason = "its purpose")]
fn report(line: &str) {
    println!("{line}");
}

/// Commands a second, and the processor time of each in microseconds.
fn measured(commands: usize, work: impl FnOnce()) -> (f64, f64) {
    let (start, cpu) = (Instant::now(), processor_micros());
    work();
    let rate = commands as f64 / start.elapsed().as_secs_f64();
    (rate, (processor_micros() - cpu) / commands as f64)
}

/// The processor time of this process and its children so far.
#[expect(unsafe_code, reason = "getrusage(2) has no safe counterpart in the standard library")]
fn processor_micros() -> f64 {
    let micros = |time: libc::timeval| time.tv_sec as f64 * 1e6 + time.tv_usec as f64;
    [libc::RUSAGE_SELF, libc::RUSAGE_CHILDREN]
        .map(|who| {
            let mut usage = std::mem::MaybeUninit::<libc::rusage>::zeroed();
            // SAFETY: `usage` has room for the answer, and all zeros are a valid one.
            let usage = unsafe {
                libc::getrusage(who, usage.as_mut_ptr());
                usage.assume_init()
            };
            micros(usage.ru_utime) + micros(usage.ru_stime)
        })
        .into_iter()
        .sum()
}

/// Runs commands through the worker, all but the first two held until there is room.
fn worked(worker: &Worker, round: usize, commands: usize) {
    let (done, all_done) = mpsc::channel();
    let reporter: Arc<dyn Reporter> = Arc::new(Count { left: commands.into(), done });
    for task in 0..commands {
        let started = worker.start(request(round, task), Arc::clone(&reporter));
        assert_eq!(started, Immediate::Running);
    }
    all_done.recv().expect("the reporter lives");
}

fn request(round: usize, task: usize) -> AttemptRequest {
    let params = serde_json::json!({"command": "true"});
    AttemptRequest {
        id: AttemptId { run: round.to_string(), task: task as u32, item: None, attempt: 1 },
        task: format!("task{task}"),
        workflow: "spawn".into(),
        idempotency_key: format!("{round}-{task}"),
        plugin: "cmd".into(),
        params: params.as_object().expect("it is one").clone(),
        shared: Arc::default(),
        inputs: Vec::new(),
        item: None,
        outputs: Vec::new(),
        context: Vec::new(),
        timeout: None,
        permissions: Vec::new(),
        contract_success: None,
        contract_error: None,
        secrets: Arc::default(),
        base: std::env::temp_dir(),
        log: std::env::temp_dir().join("loom-spawn-example.log"),
        held: true,
        secret_names: Vec::new(),
        lane_width: LANES as u32,
    }
}

/// Runs commands in a bare loop on as many threads.
fn bare(commands: usize) {
    let left = AtomicUsize::new(commands);
    let program = CString::new("/usr/bin/true").expect("it holds no NUL");
    std::thread::scope(|scope| {
        for _ in 0..LANES {
            scope.spawn(|| {
                while left
                    .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1))
                    .is_ok()
                {
                    spawn_and_wait(&program);
                }
            });
        }
    });
}

#[expect(unsafe_code, reason = "the yardstick is the system call itself")]
fn spawn_and_wait(program: &CString) {
    unsafe extern "C" {
        static environ: *const *mut libc::c_char;
    }
    let arguments = [program.as_ptr().cast_mut(), std::ptr::null_mut()];
    let mut process = 0;
    let mut status = 0;
    // SAFETY: the program and its arguments are C strings that live through the calls, the lists end
    // with null, and nothing in this program changes the environment.
    let (spawned, waited) = unsafe {
        let spawned = libc::posix_spawn(
            &raw mut process,
            program.as_ptr(),
            std::ptr::null(),
            std::ptr::null(),
            arguments.as_ptr(),
            environ,
        );
        (spawned, libc::waitpid(process, &raw mut status, 0))
    };
    assert!(spawned == 0 && waited == process && status == 0, "true failed");
}
