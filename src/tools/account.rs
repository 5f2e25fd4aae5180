//! Who is signed in.

mod whoami;

pub use whoami::Whoami;
