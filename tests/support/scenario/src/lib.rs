//! A test that is written once and runs on both clusters.
//!
//! The function stays as it is, token for token: formatters and editors see plain Rust, even while it is half written.
//! This is why nothing of it is parsed but its name.

use proc_macro2::{Ident, TokenStream, TokenTree};
use quote::quote_spanned;

/// Runs a function on the in-process API server and on the real control plane, as two tests in a module of its name.
///
/// `#[scenario(real)]` is for what only the real control plane can do, and `#[scenario(node)]` for what takes a node that
/// runs pods beside it. The function takes `world: &World` and
/// `sandbox: &Sandbox`; the sandbox has the administrator's kubeconfig of the world.
///
/// The tests on the real control plane are ignored unless they are asked for, and fail where there is none.
#[proc_macro_attribute]
pub fn scenario(
    servers: proc_macro::TokenStream,
    function: proc_macro::TokenStream,
) -> proc_macro::TokenStream {
    with_its_tests(&servers.into(), &function.into()).into()
}

/// The function, and beside it the module: their names are of different kinds.
fn with_its_tests(servers: &TokenStream, function: &TokenStream) -> TokenStream {
    let Some(name) = name(function) else {
        return quote_spanned! { proc_macro2::Span::call_site() =>
            compile_error!("#[scenario] stands before a function");
            #function
        };
    };
    let tests = match servers.to_string().as_str() {
        "" => [on_the_in_process_server(&name), on_the_real_control_plane(&name)].into_iter().collect(),
        "real" => on_the_real_control_plane(&name),
        "node" => on_a_node(&name),
        _ => quote_spanned! { proc_macro2::Span::call_site() =>
            compile_error!("it is #[scenario], or #[scenario(real)] for the real control plane alone, or #[scenario(node)]");
        },
    };
    quote_spanned! { name.span() =>
        #function
        mod #name { #tests }
    }
}

/// The word after `fn`.
fn name(function: &TokenStream) -> Option<Ident> {
    let mut tokens = function.clone().into_iter();
    tokens.find(|token| matches!(token, TokenTree::Ident(word) if word == "fn"))?;
    match tokens.next()? {
        TokenTree::Ident(name) => Some(name),
        _ => None,
    }
}

fn on_the_in_process_server(name: &Ident) -> TokenStream {
    quote_spanned! { name.span() =>
        #[test]
        fn on_the_in_process_server() {
            let world = ::support::World::in_process();
            super::#name(&world, &::support::Sandbox::new().with(&world));
        }
    }
}

fn on_the_real_control_plane(name: &Ident) -> TokenStream {
    quote_spanned! { name.span() =>
        #[test]
        #[ignore = "needs a real control plane: see CONTRIBUTING.md"]
        fn on_the_real_control_plane() {
            let world = ::support::World::real();
            super::#name(&world, &::support::Sandbox::new().with(&world));
        }
    }
}

fn on_a_node(name: &Ident) -> TokenStream {
    quote_spanned! { name.span() =>
        #[test]
        #[ignore = "needs a real control plane and what runs pods: see CONTRIBUTING.md"]
        fn on_a_node() {
            let world = ::support::World::with_node();
            super::#name(&world, &::support::Sandbox::new().with(&world));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expanded(servers: &str, function: &str) -> String {
        with_its_tests(&servers.parse().unwrap(), &function.parse().unwrap()).to_string()
    }

    #[test]
    fn a_scenario_stays_as_it_is_with_a_test_for_each_server_beside_it() {
        let function = "/// Why. \n pub fn it_works(world: &World, sandbox: &Sandbox) { fn inner() {} }";
        let function = function.parse::<TokenStream>().unwrap().to_string();
        let expanded = expanded("", &function);
        assert!(expanded.starts_with(&format!("{function} mod it_works {{")), "{expanded}");
        for (part, count) in [("# [test]", 2), ("# [ignore", 1), ("super :: it_works (", 2)] {
            assert_eq!(expanded.matches(part).count(), count, "{part}: {expanded}");
        }
    }

    #[test]
    fn a_scenario_of_the_real_control_plane_or_of_a_node_has_no_other_test() {
        for (server, test) in [("real", "fn on_the_real_control_plane ()"), ("node", "fn on_a_node ()")] {
            let expanded = expanded(server, "fn it_works() {}");
            assert_eq!(expanded.matches("# [test]").count(), 1, "{expanded}");
            assert!(expanded.contains("# [ignore") && expanded.contains(test), "{expanded}");
        }
    }

    #[test]
    fn what_is_no_scenario_is_said() {
        assert!(expanded("", "struct NoFunction;").contains("stands before a function"));
        assert!(expanded("reel", "fn it_works() {}").contains("it is #[scenario], or #[scenario(real)]"));
    }
}
