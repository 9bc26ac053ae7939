//! This process's memory, which is nobody else's business: what is freed is wiped, no core file holds it, and no other
//! program of the same user reads it.

use std::alloc::System;

use zeroizing_alloc::ZeroAlloc;

/// Wipes what is freed. `SecretValue` wipes itself; this is for the buffers between the network and it, which are those of
/// libraries.
#[global_allocator]
static ALLOCATOR: ZeroAlloc<System> = ZeroAlloc(System);

/// Has the system write no core file of this process and let no debugger of the same user in, from here on. Core files are
/// off for the programs that it starts too: an editor has values in its memory.
///
/// Where the system refuses it, the program runs without.
pub(crate) fn keep_to_itself() {
    #[cfg(unix)]
    {
        use rustix::process::{Resource, Rlimit, setrlimit};

        let _ = setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) });
    }
    // Where core files go to a program (`|` in core_pattern), Linux does not look at the limit.
    #[cfg(target_os = "linux")]
    {
        use rustix::process::{DumpableBehavior, set_dumpable_behavior};

        let _ = set_dumpable_behavior(DumpableBehavior::NotDumpable);
    }
}
