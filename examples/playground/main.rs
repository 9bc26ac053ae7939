//! The product without a cluster: an API server in this process with three projects, and a tour of the commands on it.
//!
//! `cargo run --example playground` takes the tour; with `-- --serve` the server stays, for you to play with; with
//! `-- --update-docs` the tour is put into the tutorial and the picture.

use std::io::IsTerminal as _;
use std::path::Path;
use std::process::ExitCode;
use std::{env, fs, io};

use support::sandbox::plugin;

use crate::tour::Playground;

mod picture;
mod tour;

fn main() -> ExitCode {
    let words: Vec<String> = env::args().skip(1).collect();
    eprintln!("playground: cargo builds the plugin, which takes a few minutes the first time");
    plugin();
    eprintln!("playground: starts an API server in this process\n");
    let done = match words.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => take_the_tour(&Playground::start()),
        ["--serve"] => serve(&Playground::start()),
        ["--update-docs"] => update_docs(&Playground::start()),
        _ => Err("its flags are --serve and --update-docs".to_owned()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("playground: {error}");
            ExitCode::FAILURE
        }
    }
}

fn take_the_tour(playground: &Playground) -> Result<(), String> {
    let styled = io::stdout().is_terminal() && env::var_os("NO_COLOR").is_none();
    playground.tour(|shown| match shown.as_bytes().first() {
        Some(b'$') if styled => println!("\x1b[1m{}\x1b[0m", shown.trim_end()),
        _ => print!("{shown}"),
    })
}

/// Keeps the server until Ctrl-C.
fn serve(playground: &Playground) -> Result<(), String> {
    take_the_tour(playground)?;
    let sandbox = &playground.sandbox;
    let kubeconfig = sandbox.file("kubeconfig", playground.world.kubeconfig().to_string());
    println!("\n# The server stays until Ctrl-C. In another shell:");
    println!("export KUBECONFIG={}", kubeconfig.display());
    println!(
        "# kubectl-runai_secret for kubectl runai-secret, and kubectl-runai-secret for kubectl runai secret:"
    );
    println!("export PATH={}:$PATH", sandbox.bin().display());
    println!(
        "# kubectl get, describe and delete work on it too; kubectl create and apply need a real server."
    );
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| error.to_string())?;
    runtime.block_on(asked_to_end()).map_err(|error| error.to_string())
}

/// Waits for Ctrl-C, or for the end of the terminal or of the session: then its folder goes too.
async fn asked_to_end() -> io::Result<()> {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let (mut closed, mut ended) = (signal(SignalKind::hangup())?, signal(SignalKind::terminate())?);
        tokio::select! {
            pressed = tokio::signal::ctrl_c() => pressed,
            _ = closed.recv() => Ok(()),
            _ = ended.recv() => Ok(()),
        }
    }
    #[cfg(not(unix))]
    tokio::signal::ctrl_c().await
}

fn update_docs(playground: &Playground) -> Result<(), String> {
    let mut shown = String::new();
    playground.tour(|piece| shown.push_str(piece))?;
    for (path, make) in tour::SHOWN_IN {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
        let kept = fs::read_to_string(&file).unwrap_or_default();
        let current = make(&kept, &shown).ok_or_else(|| format!("{path} has no place for the tour"))?;
        fs::write(&file, current).map_err(|error| error.to_string())?;
    }
    Ok(())
}
