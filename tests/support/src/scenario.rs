//! A test that is written once and run on both clusters.

/// Runs each body on the in-process API server and on the real control plane, as two tests in a module of its name.
///
/// The sandbox has the administrator's kubeconfig of the world.
#[macro_export]
macro_rules! scenario {
    ($($(#[$meta:meta])* fn $name:ident($world:ident: &World, $sandbox:ident: &Sandbox) $body:block)+) => {$(
        $(#[$meta])*
        mod $name {
            #[allow(unused_imports, reason = "a scenario uses what the file around it imports, or not")]
            use super::*;

            fn scenario($world: &$crate::World, $sandbox: &$crate::Sandbox) $body

            #[test]
            fn on_the_in_process_server() {
                let world = $crate::World::in_process();
                scenario(&world, &$crate::Sandbox::new().with(&world));
            }

            #[test]
            #[ignore = "needs a real control plane: see CONTRIBUTING.md"]
            fn on_the_real_control_plane() {
                let world = $crate::World::real();
                scenario(&world, &$crate::Sandbox::new().with(&world));
            }
        }
    )+};
}
