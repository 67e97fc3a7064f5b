//! Random conversations of two clients with a zegel in this process, while its next hop and its store fail here and there and it is restarted in
//! between, against a model that is much simpler than it (`rules`): which replies may be heard, and in the end who must, may, or must not have what.
//!
//! `ZEGEL_MODEL_CASES` says how many conversations, `ZEGEL_MODEL_SEED` repeats one. A failing one is made as short as it can be, and printed.

mod flaky;
mod play;
mod rules;
mod step;

use crate::soak::dice::Dice;
use step::Step;

/// Conversations in `cargo verify`; `.ci/long` asks for more.
const CASES: usize = 12;

/// How often a failing conversation is tried without one of its steps.
const SHRINKS: usize = 200;

#[tokio::test(flavor = "multi_thread")]
async fn any_order_of_commands_and_faults_goes_as_the_model_says() {
    let given = std::env::var("ZEGEL_MODEL_SEED").is_ok();
    let first = Dice::seed("ZEGEL_MODEL_SEED");
    let cases = std::env::var("ZEGEL_MODEL_CASES").ok().map_or(CASES, |c| c.parse().expect("ZEGEL_MODEL_CASES is a whole number"));
    println!("model: {cases} conversations from ZEGEL_MODEL_SEED={first} on");
    for seed in (first..).take(if given { 1 } else { cases }) {
        let steps = step::conversation(seed);
        if let Err(why) = play::play(&steps).await {
            let (steps, why) = shortened(steps, why).await;
            panic!("ZEGEL_MODEL_SEED={seed}: {why}\nafter\n{}", listed(&steps));
        }
    }
}

/// Leaves out steps for as long as it goes wrong without them.
async fn shortened(mut steps: Vec<Step>, mut why: String) -> (Vec<Step>, String) {
    let mut tries = 0;
    let mut at = 0;
    while at < steps.len() && tries < SHRINKS {
        let mut fewer = steps.clone();
        fewer.remove(at);
        tries += 1;
        match play::play(&fewer).await {
            Err(other) => (steps, why) = (fewer, other),
            Ok(()) => at += 1,
        }
    }
    (steps, why)
}

fn listed(steps: &[Step]) -> String {
    steps.iter().map(|step| format!("  {step:?}\n")).collect()
}
