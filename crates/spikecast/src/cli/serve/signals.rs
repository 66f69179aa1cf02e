//! What people and the service manager ask of the process, and what it tells the latter.

use std::io;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

use sd_notify::NotifyState;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

use crate::exit::Exit;

/// What is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Request {
    /// SIGTERM, SIGINT: end what can be ended soon, and stop.
    Stop,
    /// SIGHUP: read the settings again.
    Reload,
}

/// Signals, as they come.
pub(super) struct Signals(Receiver<Request>);

impl Signals {
    /// Begins to listen. Whoever asks to stop twice does not want to wait: the process ends at once,
    /// which is as safe as any crash.
    pub(super) fn listen() -> io::Result<Self> {
        let mut signals = signal_hook::iterator::Signals::new([SIGTERM, SIGINT, SIGHUP])?;
        let (sender, requests) = channel();
        let work = move || {
            let mut stops = 0;
            for signal in signals.forever() {
                let request = if signal == SIGHUP { Request::Reload } else { Request::Stop };
                stops += u32::from(request == Request::Stop);
                if 1 < stops {
                    std::process::exit(i32::from(Exit::Interrupted.code()));
                }
                if sender.send(request).is_err() {
                    return;
                }
            }
        };
        thread::Builder::new().name("signals".to_owned()).spawn(work)?;
        Ok(Self(requests))
    }

    /// Waits for the next request.
    pub(super) fn next(&self, patience: Duration) -> Result<Request, RecvTimeoutError> {
        self.0.recv_timeout(patience)
    }
}

/// The service manager (systemd), if one has started this process.
pub(super) struct ServiceManager {
    is_watching: bool,
}

impl ServiceManager {
    /// Looks whether a service manager wants to know that the process lives.
    pub(super) fn find() -> Self {
        Self { is_watching: sd_notify::watchdog_enabled().is_some() }
    }

    /// Tells whether it wants to know that the process lives.
    pub(super) fn is_watching(&self) -> bool {
        self.is_watching
    }

    pub(super) fn ready(&self) {
        tell(&[NotifyState::Ready, NotifyState::Status("serving")]);
    }

    pub(super) fn alive(&self) {
        tell(&[NotifyState::Watchdog]);
    }

    pub(super) fn stopping(&self) {
        tell(&[NotifyState::Stopping]);
    }

    pub(super) fn reloading(&self) {
        match NotifyState::monotonic_usec_now() {
            Ok(now) => tell(&[NotifyState::Reloading, now]),
            Err(error) => tracing::warn!("the clock of the service manager: {error}"),
        }
    }
}

/// Without a service manager nobody is told, which is no error.
fn tell(states: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(states) {
        tracing::warn!("the service manager was not told: {error}");
    }
}
