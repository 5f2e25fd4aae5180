//! Tools that the product does not have: one that breaks down, some that never end, one that tells how far it is.

use std::sync::atomic::{AtomicUsize, Ordering};

use schemars::JsonSchema;
use sequentum_mcp::{
    auth::Scope,
    tools::{Effect, Tool, ToolCx, ToolError, Toolset},
};
use serde::{Deserialize, Serialize};

#[derive(Deserialize, JsonSchema)]
pub struct NoArgs {}
#[derive(Serialize, JsonSchema)]
pub struct Nothing {}

/// A tool without arguments, scopes and result.
macro_rules! tool {
    ($name:literal, $title:literal, $effect:ident, $tool:ident $(<const $test:ident>)?, $cx:pat => $call:block) => {
        impl $(<const $test: usize>)? Tool for $tool $(<$test>)? {
            const NAME: &'static str = $name;
            const TITLE: &'static str = $title;
            const DESCRIPTION: &'static str = concat!($title, ".");
            const TOOLSET: Toolset = Toolset::Account;
            const EFFECT: Effect = Effect::$effect;
            const SCOPES: &'static [Scope] = &[];
            type Args = NoArgs;
            type Output = Nothing;
            async fn call($cx: &ToolCx, _: NoArgs) -> Result<Nothing, ToolError> $call
        }
    };
}

/// Breaks down.
pub struct Panics;
tool!("panics", "Breaks down", Read, Panics, _ => {
    panic!("a secret in a panic message")
});

/// Never ends, and writes.
pub struct Hangs;
tool!("hangs", "Never ends", Launch, Hangs, _ => {
    std::future::pending().await
});

/// Tells how far it is.
pub struct Counts;
tool!("counts", "Reports progress twice", Read, Counts, cx => {
    cx.progress.report(1.0, 2.0, "half".to_owned()).await;
    cx.progress.report(2.0, 2.0, "done".to_owned()).await;
    Ok(Nothing {})
});

/// Only reads, never ends, and counts its calls in [`CALLS`].
pub struct Lingers<const TEST: usize>;
tool!("lingers", "Never ends", Read, Lingers<const TEST>, cx => {
    let _lingering = Lingering(&CALLS[TEST]);
    CALLS[TEST].begun.fetch_add(1, Ordering::SeqCst);
    cx.progress.report(1.0, 2.0, "begun".to_owned()).await;
    std::future::pending().await
});

/// Calls of [`Lingers`].
pub struct Calls {
    begun: AtomicUsize,
    ended: AtomicUsize,
}

/// One for each test: they may share a process.
pub static CALLS: [Calls; 2] =
    [const { Calls { begun: AtomicUsize::new(0), ended: AtomicUsize::new(0) } }; 2];

impl Calls {
    pub fn begun(&self) -> usize {
        self.begun.load(Ordering::SeqCst)
    }

    pub fn ended(&self) -> usize {
        self.ended.load(Ordering::SeqCst)
    }
}

struct Lingering(&'static Calls);

impl Drop for Lingering {
    fn drop(&mut self) {
        self.0.ended.fetch_add(1, Ordering::SeqCst);
    }
}
