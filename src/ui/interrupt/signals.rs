//! Listens for signals on a thread of its own, and ends a program that does not heed them.

use std::process::exit;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::Duration;

use tokio::sync::mpsc;

#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

#[cfg(unix)]
use self::unix::{CTRL_C, Source, name, sources};
#[cfg(windows)]
use self::windows::{CTRL_C, Source, name, sources};
use crate::error::{Error, Kind};
use crate::ui::terminal;

/// The number of running steps that an interrupt must let finish.
pub(super) static FINISHING: AtomicUsize = AtomicUsize::new(0);

/// Set when a signal ends the command.
pub(super) static IS_ENDING: AtomicBool = AtomicBool::new(false);

/// How long the command may take to notice a signal. If it does not, it waits for something without end,
/// such as the reader of a pipe.
const TO_NOTICE: Duration = Duration::from_secs(2);
/// How long the command may take to end after that; `edit` asks its editor to end, too.
const TO_END: Duration = Duration::from_secs(10);

/// The number of signals that came, and of those that the command has noticed.
static CAME: AtomicUsize = AtomicUsize::new(0);
static NOTICED: AtomicUsize = AtomicUsize::new(0);

type Queue = mpsc::UnboundedReceiver<Signal>;

/// A signal that ends the program, by its number.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Signal(i32);

impl Signal {
    pub(super) fn is_ctrl_c(self) -> bool {
        self.0 == CTRL_C
    }

    pub(super) fn error(self) -> Error {
        if self.is_ctrl_c() { Error::interrupted() } else { Error::ended_by_signal(self.0, &name(self.0)) }
    }
}

/// The signals that came. Only the first caller gets the queue.
pub(super) struct Signals(Option<Queue>);

impl Signals {
    /// Returns the next signal. Never returns if signals can't be listened for: their default action then
    /// ends the process.
    pub(super) async fn next(&mut self) -> Signal {
        let next = match &mut self.0 {
            Some(queue) => queue.recv().await,
            None => None,
        };
        let Some(signal) = next else { return std::future::pending().await };
        NOTICED.fetch_add(1, Ordering::SeqCst);
        signal
    }
}

pub(super) fn all() -> Signals {
    Signals(listening().lock().unwrap_or_else(PoisonError::into_inner).take())
}

pub(super) fn listen() {
    let _ = listening();
}

fn listening() -> &'static Mutex<Option<Queue>> {
    static LISTENING: OnceLock<Mutex<Option<Queue>>> = OnceLock::new();
    LISTENING.get_or_init(|| Mutex::new(start()))
}

/// Starts the thread. The handlers are in place when this returns.
fn start() -> Option<Queue> {
    let (sender, queue) = mpsc::unbounded_channel();
    let sources = sources();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().ok()?;
    let listen = move || {
        runtime.block_on(async {
            for source in sources {
                tokio::spawn(each(source, sender.clone()));
            }
            std::future::pending::<()>().await;
        });
    };
    std::thread::Builder::new().name("signals".to_owned()).spawn(listen).ok()?;
    Some(queue)
}

async fn each(mut source: Source, queue: mpsc::UnboundedSender<Signal>) {
    while let Some(number) = source.next().await {
        let count = CAME.fetch_add(1, Ordering::SeqCst) + 1;
        let _ = queue.send(Signal(number));
        tokio::spawn(end_anyway(number, count));
    }
}

/// Ends the program if the command does not.
async fn end_anyway(number: i32, count: usize) {
    tokio::time::sleep(TO_NOTICE).await;
    let is_noticed = NOTICED.load(Ordering::SeqCst) >= count;
    if is_noticed && !IS_ENDING.load(Ordering::SeqCst) {
        return;
    }
    if is_noticed {
        tokio::time::sleep(TO_END).await;
    }
    if FINISHING.load(Ordering::SeqCst) == 0 {
        terminal::restore_modes();
        exit(Kind::Signal(number).exit_code().into());
    }
}
