//! A thousand worlds keep every promise.

#[test]
fn worlds_keep_the_promises() {
    let mut totals = loom_sim::Totals::default();
    for seed in 0..1000 {
        totals += loom_sim::simulate(seed);
    }
    println!("{totals}");
}
