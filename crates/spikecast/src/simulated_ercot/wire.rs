//! Sockets that can misbehave: bytes that trickle, connections that are reset within a body.
//!
//! The answer of a request decides how its connection goes on; a [`Conducted`] stream asks for it
//! when it writes. Heads of answers always go through whole.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::extract::connect_info::Connected;
use axum::serve::{IncomingStream, Listener};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{Sleep, sleep};

use super::answer::Conduct;

/// So long is waited when no connection can be taken, e.g. for want of file handles.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Takes connections whose conduct can be told.
#[derive(Debug)]
pub(super) struct ConductedListener(pub(super) TcpListener);

/// How a connection goes on; its answers say so.
#[derive(Clone, Debug, Default)]
pub(super) struct Baton(Arc<Mutex<Conduct>>);

impl Baton {
    pub(super) fn conduct(&self, conduct: Conduct) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = conduct;
    }

    fn current(&self) -> Conduct {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A connection that does as it is told.
#[derive(Debug)]
pub(super) struct Conducted {
    stream: TcpStream,
    baton: Baton,
    progress: Progress,
    pause: Option<Pin<Box<Sleep>>>,
}

/// How far an answer that misbehaves was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Progress {
    /// So many bytes of the head's end were seen.
    Head(usize),
    /// So many bytes of the body were written.
    Body(usize),
}

const END_OF_HEAD: &[u8] = b"\r\n\r\n";

impl Progress {
    /// Returns how much of a buffer still belongs to the head, and what follows it.
    fn head(self, buffer: &[u8]) -> (usize, Progress) {
        let Progress::Head(mut seen) = self else { return (0, self) };
        for (n, byte) in buffer.iter().enumerate() {
            let restart = usize::from(*byte == END_OF_HEAD[0]);
            seen = if *byte == END_OF_HEAD[seen] { seen + 1 } else { restart };
            if seen == END_OF_HEAD.len() {
                return (n + 1, Progress::Body(0));
            }
        }
        (buffer.len(), Progress::Head(seen))
    }
}

impl Listener for ConductedListener {
    type Io = Conducted;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Conducted, SocketAddr) {
        loop {
            match self.0.accept().await {
                Ok((stream, address)) => {
                    let (baton, progress) = (Baton::default(), Progress::Head(0));
                    return (Conducted { stream, baton, progress, pause: None }, address);
                }
                Err(_) => sleep(ACCEPT_PAUSE).await,
            }
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.0.local_addr()
    }
}

impl Connected<IncomingStream<'_, ConductedListener>> for Baton {
    fn connect_info(stream: IncomingStream<'_, ConductedListener>) -> Self {
        stream.io().baton.clone()
    }
}

impl AsyncRead for Conducted {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl Conducted {
    /// Writes some bytes of the body, as many as are allowed.
    fn poll_body(
        &mut self,
        context: &mut Context<'_>,
        buffer: &[u8],
        conduct: Conduct,
    ) -> Poll<io::Result<usize>> {
        let Progress::Body(written) = self.progress else { return Poll::Ready(Ok(0)) };
        let allowed = match conduct {
            Conduct::Plain => buffer.len(),
            Conduct::Trickle { bytes, pause } => {
                if 0 < written {
                    let sleeping = self.pause.get_or_insert_with(|| Box::pin(sleep(pause)));
                    ready!(sleeping.as_mut().poll(context));
                    self.pause = None;
                }
                bytes.min(buffer.len())
            }
            Conduct::CutOff { after } => {
                let allowed = after.saturating_sub(written).min(buffer.len());
                if allowed == 0 {
                    // Without lingering, closing resets the connection.
                    self.stream.set_zero_linger()?;
                    return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()));
                }
                allowed
            }
        };
        let count = ready!(Pin::new(&mut self.stream).poll_write(context, &buffer[..allowed]))?;
        self.progress = Progress::Body(written + count);
        Poll::Ready(Ok(count))
    }
}

impl AsyncWrite for Conducted {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &[u8],
    ) -> Poll<io::Result<usize>> {
        let conduct = self.baton.current();
        if conduct == Conduct::Plain {
            return Pin::new(&mut self.stream).poll_write(context, buffer);
        }
        let (head, _) = self.progress.head(buffer);
        if head == 0 {
            return self.poll_body(context, buffer, conduct);
        }
        let count = ready!(Pin::new(&mut self.stream).poll_write(context, &buffer[..head]))?;
        self.progress = self.progress.head(&buffer[..count]).1;
        Poll::Ready(Ok(count))
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_a_head_is_found_wherever_it_is_cut() {
        let answer = b"HTTP/1.1 200 OK\r\nA: b\r\n\r\nbody";
        for cut in 0..answer.len() {
            let (first, progress) = Progress::Head(0).head(&answer[..cut]);
            let (second, end) = progress.head(&answer[first.min(cut)..]);
            assert_eq!(
                (first + second, end),
                (answer.len() - 4, Progress::Body(0)),
                "cut at {cut}"
            );
        }
    }
}
