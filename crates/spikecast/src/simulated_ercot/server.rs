//! The HTTP server around the service: reads requests, writes answers, stops when it is told to.

use std::future::Future;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{ConnectInfo, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::Response;
use tokio::net::TcpListener;
use tokio::time::timeout;

use super::answer::{Answer, Conduct};
use super::service::{Request, Service};
use super::wire::{Baton, ConductedListener};

/// A request for a thousand files has 15 kB.
const REQUEST_BYTES_MAX: usize = 1_000_000;

/// After being told to stop, answers that are under way have so long to arrive.
const STOP_GRACE: Duration = Duration::from_secs(1);

/// Tells a server to stop.
#[derive(Clone, Debug, Default)]
pub struct Stop(Arc<Mutex<Stopping>>);

#[derive(Debug, Default)]
struct Stopping {
    is_wanted: bool,
    wakers: Vec<Waker>,
}

impl Stop {
    /// Tells the server to stop.
    pub fn stop(&self) {
        let mut stopping = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        stopping.is_wanted = true;
        for waker in stopping.wakers.drain(..) {
            waker.wake();
        }
    }
}

impl Future for Stop {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let mut stopping = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if stopping.is_wanted {
            return Poll::Ready(());
        }
        stopping.wakers.retain(|waker| !waker.will_wake(context.waker()));
        stopping.wakers.push(context.waker().clone());
        Poll::Pending
    }
}

/// A server that listens, but does not answer yet.
#[derive(Debug)]
pub struct Server {
    runtime: tokio::runtime::Runtime,
    listener: TcpListener,
    address: SocketAddr,
}

impl Server {
    /// Listens on a port of this machine; port 0 is any free one.
    pub fn listen(port: u16) -> io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let listener = runtime.block_on(TcpListener::bind(address))?;
        let address = listener.local_addr()?;
        Ok(Self { runtime, listener, address })
    }

    /// Returns where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Answers requests until it is told to stop.
    pub fn serve(self, service: Arc<Service>, stop: Stop) -> io::Result<()> {
        let Self { runtime, listener, .. } = self;
        let router = Router::new().fallback(answer).with_state(service);
        let make = router.into_make_service_with_connect_info::<Baton>();
        let serving = async move {
            let server = axum::serve(ConductedListener(listener), make);
            let mut server = Box::pin(server.with_graceful_shutdown(stop.clone()).into_future());
            let mut stop = stop;
            let first = std::future::poll_fn(|context| {
                if let Poll::Ready(ended) = server.as_mut().poll(context) {
                    return Poll::Ready(Some(ended));
                }
                Pin::new(&mut stop).poll(context).map(|()| None)
            });
            match first.await {
                Some(ended) => ended,
                // Who reads slowly or not at all does not keep the server from stopping.
                None => timeout(STOP_GRACE, server).await.unwrap_or(Ok(())),
            }
        };
        let ended = runtime.block_on(serving);
        runtime.shutdown_background();
        ended
    }
}

async fn answer(
    State(service): State<Arc<Service>>,
    ConnectInfo(baton): ConnectInfo<Baton>,
    request: axum::extract::Request,
) -> Response {
    let (parts, body) = request.into_parts();
    let Ok(body) = to_bytes(body, REQUEST_BYTES_MAX).await else {
        return response(Answer::new(413, "text/plain", b"the request is too long".to_vec()));
    };
    let header = |name: &str| text(&parts.headers, name);
    let request = Request {
        method: parts.method.as_str().to_owned(),
        path: parts.uri.path().to_owned(),
        query: parts.uri.query().unwrap_or_default().to_owned(),
        host: header("host").unwrap_or_else(|| "localhost".to_owned()),
        authorization: header("authorization"),
        subscription_key: header("ocp-apim-subscription-key"),
        body: body.to_vec(),
    };
    // Simulating a market keeps a processor busy; others want to connect meanwhile.
    let answer = tokio::task::spawn_blocking(move || service.answer(&request)).await;
    let answer = answer.unwrap_or_else(|_| Answer::new(500, "text/plain", b"a bug".to_vec()));
    if answer.conduct != Conduct::Plain {
        baton.conduct(answer.conduct);
    }
    response(answer)
}

fn text(headers: &HeaderMap, name: &str) -> Option<String> {
    headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned)
}

fn response(answer: Answer) -> Response {
    let is_plain = answer.conduct == Conduct::Plain;
    let mut response = Response::new(Body::from(answer.body));
    *response.status_mut() =
        StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, header::HeaderValue::from_static(answer.content_type));
    if let Some(wait) = answer.retry_after {
        headers.insert(header::RETRY_AFTER, header::HeaderValue::from(wait.as_secs()));
    }
    if !is_plain {
        // What was told to a connection must not outlive the answer.
        headers.insert(header::CONNECTION, header::HeaderValue::from_static("close"));
    }
    response
}
