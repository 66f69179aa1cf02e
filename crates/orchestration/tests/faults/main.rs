//! What the orchestrator promises when the system fails it: real processes are killed, real disks
//! are full.

#[cfg(test)]
#[path = "../power_cut/chance.rs"]
mod chance;
#[cfg(test)]
mod kill;
#[cfg(test)]
mod program;
#[cfg(test)]
mod system;
