//! What ends a program in a console of Windows, with the numbers that libuv gives to it.
//!
//! When a window is closed or a user logs off, the system waits some seconds for the program: time to finish a step.

use std::io;

use tokio::signal::windows::{
    CtrlBreak, CtrlC, CtrlClose, CtrlLogoff, CtrlShutdown, ctrl_break, ctrl_c, ctrl_close, ctrl_logoff,
    ctrl_shutdown,
};

pub(super) const CTRL_C: i32 = 2;
const CLOSED: i32 = 1;
const SESSION_ENDS: i32 = 15;
const BREAK: i32 = 21;

/// One of the events.
pub(super) enum Source {
    CtrlC(CtrlC),
    Break(CtrlBreak),
    Close(CtrlClose),
    Logoff(CtrlLogoff),
    Shutdown(CtrlShutdown),
}

/// Starts to listen for all of them.
pub(super) fn sources() -> Vec<Source> {
    let sources: [io::Result<Source>; 5] = [
        ctrl_c().map(Source::CtrlC),
        ctrl_break().map(Source::Break),
        ctrl_close().map(Source::Close),
        ctrl_logoff().map(Source::Logoff),
        ctrl_shutdown().map(Source::Shutdown),
    ];
    sources.into_iter().flatten().collect()
}

impl Source {
    /// Waits for the event and returns its number.
    pub(super) async fn next(&mut self) -> Option<i32> {
        let (came, number) = match self {
            Self::CtrlC(event) => (event.recv().await, CTRL_C),
            Self::Break(event) => (event.recv().await, BREAK),
            Self::Close(event) => (event.recv().await, CLOSED),
            Self::Logoff(event) => (event.recv().await, SESSION_ENDS),
            Self::Shutdown(event) => (event.recv().await, SESSION_ENDS),
        };
        came.map(|()| number)
    }
}

/// Returns a name for the event.
pub(super) fn name(number: i32) -> String {
    match number {
        CLOSED => "the closing of its window".to_owned(),
        SESSION_ENDS => "the end of the session".to_owned(),
        BREAK => "Ctrl-Break".to_owned(),
        number => format!("event {number}"),
    }
}
