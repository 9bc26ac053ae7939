//! Protection of this process's memory: freed memory is wiped, no core file holds it, and no other program of
//! the same user reads it.

use std::alloc::System;

use zeroizing_alloc::ZeroAlloc;

/// Wipes freed memory. `SecretValue` wipes itself; this is for the buffers of libraries between the network
/// and it.
#[global_allocator]
static ALLOCATOR: ZeroAlloc<System> = ZeroAlloc(System);

/// Turns off core files of this process, and debuggers of the same user. Programs that it starts write no
/// core files either: an editor has values in its memory.
///
/// If the system refuses, the program runs without this protection.
pub(crate) fn keep_to_itself() {
    #[cfg(unix)]
    {
        use rustix::process::{Resource, Rlimit, setrlimit};

        let _ = setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) });
    }
    // Linux ignores the limit if core files go to a program (`|` in core_pattern).
    #[cfg(target_os = "linux")]
    {
        use rustix::process::{DumpableBehavior, set_dumpable_behavior};

        let _ = set_dumpable_behavior(DumpableBehavior::NotDumpable);
    }
}
