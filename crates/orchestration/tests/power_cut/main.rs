//! What the orchestrator promises when the disk fails it: the power is cut after any write, or any
//! write is refused.
//!
//! A program of its own, because it puts a layer under all of SQLite in its process.

#[cfg(test)]
mod acknowledged;
#[cfg(test)]
mod chance;
#[cfg(test)]
mod cut;
#[cfg(test)]
mod disk;
#[cfg(test)]
mod recording;
#[cfg(test)]
mod refusal;
#[cfg(test)]
mod scenario;
#[cfg(test)]
mod tape;
#[cfg(test)]
#[expect(unsafe_code, reason = "SQLite calls a VFS through pointers")]
mod vfs;
