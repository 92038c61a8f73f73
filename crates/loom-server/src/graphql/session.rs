//! One WebSocket connection: operations and their answers, until one side has had enough.
//!
//! One task reads and writes; each operation has a task of its own, which waits while the client
//! takes nothing. So what one connection holds is bounded. The caller is asked for again with each
//! operation and each heartbeat: a token that was revoked is no longer good here either.

use super::Service;
use super::answer::Answer;
use super::desk::{Desk, Origin};
use super::protocol::{self, Farewell, Request, authorization};
use super::request::{self, Asked, Body};
use crate::access::{Caller, bearer};
use crate::app::App;
use crate::http::guard::{count_call, count_rest, recognise};
use crate::problem::Problem;
use crate::serve::Room;
use async_graphql::parser::types::OperationType;
use axum::extract::ws::{CloseFrame, Message, WebSocket};
use bytes::Bytes;
use futures_util::stream::{Stream, StreamExt, unfold};
use loom_protocol::ErrorCode;
use std::collections::HashMap;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::select;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::task::AbortHandle;
use tokio::time::{Instant, interval_at, timeout};

/// The most operations at once on one connection.
const OPERATIONS_MAX: usize = 32;
/// How many answers of a connection wait for it to be written.
const WAITING_MAX: usize = 16;
/// How long a client may take nothing while something waits for it.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long to wait for a client to close its side.
const FAREWELL: Duration = Duration::from_secs(1);

/// Who has come, and from where.
pub(super) struct Visitor {
    pub(super) app: Arc<App>,
    pub(super) service: Service,
    /// Whom the guard knows; nobody yet if the token is to come in the first message.
    pub(super) caller: Option<Caller>,
    /// The token that was shown.
    pub(super) shown: Option<String>,
    pub(super) origin: Origin,
    /// The connection's place among those that there may be.
    pub(super) _room: Option<Room>,
}

/// Talks to a client to the end.
pub(super) async fn serve(mut socket: WebSocket, visitor: Visitor) {
    let mut session = Session::new(visitor);
    let Err(end) = session.talk(&mut socket).await;
    session.operations.clear();
    let End::Close(Farewell { code, reason }) = end else { return };
    let frame = CloseFrame { code, reason: reason.into() };
    let close = async {
        let _ = socket.send(Message::Close(Some(frame))).await;
        // A connection that is dropped with something unread is reset, and the reason lost with it.
        while let Some(Ok(_)) = socket.recv().await {}
    };
    // Who does not answer does without.
    let _ = timeout(FAREWELL, close).await;
}

/// Why a conversation is over.
enum End {
    /// The server closes it.
    Close(Farewell),
    /// The client has gone, or is as good as gone.
    Gone,
}

impl From<Farewell> for End {
    fn from(farewell: Farewell) -> Self {
        Self::Close(farewell)
    }
}

struct Session {
    visitor: Visitor,
    /// Whether the client has introduced itself.
    begun: bool,
    /// Whether nothing has come since the client was last asked for a sign of life.
    silent: bool,
    operations: HashMap<String, Operation>,
    /// How many more operations there may be at once.
    slots: Arc<Semaphore>,
    /// How many operations there were.
    count: u64,
    say: mpsc::Sender<Said>,
    said: mpsc::Receiver<Said>,
}

/// An operation under way. It ends when it is dropped.
struct Operation {
    number: u64,
    task: Option<AbortHandle>,
    /// Its place among the operations, unless it goes on whoever waits for it.
    _slot: Option<OwnedSemaphorePermit>,
}

impl Drop for Operation {
    fn drop(&mut self) {
        if let Some(task) = &self.task {
            task.abort();
        }
    }
}

/// What an operation has to say.
struct Said {
    id: String,
    /// Tells operations of one identity apart that follow each other.
    number: u64,
    /// Nothing at its end.
    answer: Option<Answer>,
}

impl Session {
    fn new(visitor: Visitor) -> Self {
        let (say, said) = mpsc::channel(WAITING_MAX);
        let (operations, count) = (HashMap::new(), 0);
        let slots = Arc::new(Semaphore::new(OPERATIONS_MAX));
        Self { visitor, begun: false, silent: false, operations, slots, count, say, said }
    }

    async fn talk(&mut self, socket: &mut WebSocket) -> Result<std::convert::Infallible, End> {
        let app = Arc::clone(&self.visitor.app);
        let patience = app.config.limits.headers;
        let mut beat = interval_at(Instant::now() + patience, patience);
        let mut ended = pin!(app.ended());
        loop {
            let reply = select! {
                () = &mut ended => return Err(Farewell::new(1001, "the server is stopping").into()),
                _ = beat.tick() => self.beat().await?,
                Some(said) = self.said.recv() => self.said(&said),
                message = socket.recv() => match message {
                    Some(Ok(message)) => self.hear(message).await?,
                    _ => return Err(End::Gone),
                },
            };
            if let Some(reply) = reply {
                let sent = timeout(PATIENCE, socket.send(reply)).await;
                sent.map_err(|_| End::Gone)?.map_err(|_| End::Gone)?;
            }
        }
    }

    /// What is done now and then: asks for a sign of life, and whether the caller may still come in.
    async fn beat(&mut self) -> Result<Option<Message>, End> {
        if !self.begun {
            return Err(Farewell::new(4408, "Connection initialisation timeout").into());
        }
        if std::mem::replace(&mut self.silent, true) {
            return Err(End::Gone);
        }
        if let Some(shown) = &self.visitor.shown {
            match self.visitor.app.access.caller(shown).await {
                Ok(caller) => self.visitor.caller = Some(caller),
                Err(problem) if problem.code == ErrorCode::Unauthenticated => {
                    return Err(forbidden(&problem));
                }
                // A store that fails for a while is no reason.
                Err(_) => {}
            }
        }
        Ok(Some(Message::Ping(Bytes::new())))
    }

    async fn hear(&mut self, message: Message) -> Result<Option<Message>, End> {
        self.silent = false;
        let text = match message {
            Message::Text(text) => text,
            Message::Ping(_) | Message::Pong(_) => return Ok(None),
            Message::Close(_) => return Err(End::Gone),
            Message::Binary(_) => {
                let what = format!("{}: messages are text", ErrorCode::BadDialogue);
                return Err(Farewell::new(4400, what).into());
            }
        };
        let reply = match Request::read(&text)? {
            Request::ConnectionInit { payload } => {
                self.introduce(authorization(&payload.unwrap_or_default())).await?;
                Some(protocol::acknowledged())
            }
            Request::Ping {} => {
                self.count()?;
                Some(protocol::pong())
            }
            Request::Pong {} => {
                self.count()?;
                None
            }
            Request::Subscribe { id, payload } => self.operate(id, payload).await?,
            Request::Complete { id } => {
                if self.operations.remove(&id).is_none() {
                    self.count()?;
                }
                None
            }
        };
        Ok(reply.map(|text| Message::Text(text.into())))
    }

    /// Counts a message as a call. What begins an operation, and ends it, is counted with it.
    fn count(&self) -> Result<(), End> {
        let Visitor { app, caller, origin, .. } = &self.visitor;
        count_call(app, caller.as_ref(), origin.peer)
            .map_err(|problem| Farewell::new(4429, format!("{}: {problem}", problem.code)).into())
    }

    /// The client says who it is, unless its request has said so.
    async fn introduce(&mut self, authorization: Option<&str>) -> Result<(), End> {
        let Visitor { app, caller, shown, origin, .. } = &mut self.visitor;
        if self.begun {
            return Err(Farewell::new(4429, "Too many initialisation requests").into());
        }
        if let Some(header) = authorization.filter(|_| app.config.access) {
            let token = bearer(header).map_err(|problem| forbidden(&problem))?;
            let known = recognise(app, token, origin.peer).await;
            *caller = Some(known.map_err(|problem| forbidden(&problem))?);
            *shown = Some(token.to_owned());
        }
        if caller.is_none() {
            let what = "a token is needed: `Authorization`, here or in the header";
            return Err(forbidden(&Problem::new(ErrorCode::Unauthenticated, what)));
        }
        self.begun = true;
        Ok(())
    }

    /// Begins an operation, or says why not.
    async fn operate(&mut self, id: String, body: Body) -> Result<Option<String>, End> {
        if !self.begun {
            return Err(Farewell::new(4401, "Unauthorized").into());
        }
        if self.operations.contains_key(&id) {
            return Err(Farewell::new(4409, format!("Subscriber for {id} already exists")).into());
        }
        match self.admitted(body).await {
            Ok((desk, asked, slot)) => {
                self.begin(id, desk, asked, slot);
                Ok(None)
            }
            Err(problem) => {
                let answer = Answer::refusal(problem, &self.visitor.origin.correlation_id);
                Ok(Some(protocol::answer(&id, &answer)))
            }
        }
    }

    /// What is asked for, by whom, once it is within all limits.
    async fn admitted(&self, body: Body) -> Result<(Desk, Asked, OwnedSemaphorePermit), Problem> {
        let Visitor { app, caller, shown, origin, .. } = &self.visitor;
        let slot = Arc::clone(&self.slots).try_acquire_owned().map_err(|_| {
            let what = format!("a connection has at most {OPERATIONS_MAX} operations at once");
            Problem::new(ErrorCode::LimitReached, what)
        })?;
        let caller = if let Some(shown) = shown {
            recognise(app, shown, origin.peer).await?
        } else {
            let caller = caller.clone().expect("a conversation begins with a caller");
            count_call(app, Some(&caller), origin.peer)?;
            caller
        };
        let asked = request::read(body)?;
        count_rest(app, &caller, origin.peer, asked.calls)?;
        let (app, shown, origin) = (Arc::clone(app), shown.clone(), origin.clone());
        Ok((Desk::new(app, caller, shown, origin), asked, slot))
    }

    fn begin(&mut self, id: String, desk: Desk, asked: Asked, slot: OwnedSemaphorePermit) {
        self.count += 1;
        let (number, say, service) = (self.count, self.say.clone(), self.visitor.service.clone());
        let name = id.clone();
        // What changes something is done once it was taken in, whoever waits for the answer: until
        // then it has its place.
        let goes_on = asked.kind == OperationType::Mutation;
        let (own, slot) = if goes_on { (Some(slot), None) } else { (None, Some(slot)) };
        let task = tokio::spawn(async move {
            let _slot = own;
            let mut answers = pin!(answers(&service, desk, asked));
            while let Some(answer) = answers.next().await {
                let answer = Some(answer);
                if say.send(Said { id: id.clone(), number, answer }).await.is_err() {
                    return;
                }
            }
            // If nobody listens any more, nobody misses the end.
            let _ = say.send(Said { id, number, answer: None }).await;
        });
        let task = (!goes_on).then(|| task.abort_handle());
        self.operations.insert(name, Operation { number, task, _slot: slot });
    }

    /// Passes on what an operation says that is still under way.
    fn said(&mut self, said: &Said) -> Option<Message> {
        let Said { id, number, answer } = said;
        self.operations.get(id).filter(|operation| operation.number == *number)?;
        let text = match answer {
            Some(answer) => protocol::answer(id, answer),
            None => protocol::complete(id),
        };
        if answer.as_ref().is_none_or(Answer::is_refusal) {
            self.operations.remove(id);
        }
        Some(Message::Text(text.into()))
    }
}

/// What an operation answers. Only a subscription may take as long as it likes.
fn answers(service: &Service, desk: Desk, asked: Asked) -> impl Stream<Item = Answer> + use<> {
    let correlation_id = desk.origin.correlation_id.clone();
    let limit = desk.app.config.limits.request;
    let is_subscription = asked.kind == OperationType::Subscription;
    let responses = service.execute_stream(asked.request.data(desk));
    unfold(Some(responses), move |responses| {
        let correlation_id = correlation_id.clone();
        async move {
            let mut responses = responses?;
            let next = responses.next();
            let response =
                if is_subscription { Ok(next.await) } else { timeout(limit, next).await };
            if let Ok(response) = response {
                return Some((Answer::new(response?, &correlation_id), Some(responses)));
            }
            let what = format!("the operation took longer than {} s", limit.as_secs_f64());
            let problem = Problem::new(ErrorCode::RequestTimeout, what);
            Some((Answer::refusal(problem, &correlation_id), None))
        }
    })
}

fn forbidden(problem: &Problem) -> End {
    Farewell::new(4403, format!("{}: {problem}", problem.code)).into()
}
