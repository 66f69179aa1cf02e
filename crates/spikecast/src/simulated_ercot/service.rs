//! What happens to a request: which address it is, whether a fault hits it, whether it may ask,
//! what the market has to say, what a fault makes of that. No sockets here.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::json;

use super::answer::{Answer, Conduct, HTML, Refusal};
use super::clock::WorldClock;
use super::credentials::Tokens;
use super::documents::{Change, Postings, naive};
use super::faults::{Fault, FaultPlan, Matches};
use super::layouts::Layout;
use super::limits::{Limits, Usage};
use super::lists::{self, Wanted};
use super::log::{Entry, RequestLog};
use super::products;
use super::route::{Query, Route, RouteKind};
use super::rows::{self, SUBSCRIPTION_PARAMETER};
use super::world::World;

/// What is simulated, and how.
#[derive(Clone, Debug)]
pub struct ServiceSettings {
    /// Which world.
    pub seed: u64,
    /// Nothing was published before.
    pub first_day: jiff::civil::Date,
    /// What time it is there.
    pub clock: WorldClock,
    /// What the Public API grants.
    pub limits: Limits,
    /// What goes wrong.
    pub faults: FaultPlan,
}

/// A request, read from the wire.
#[derive(Clone, Debug, Default)]
pub(super) struct Request {
    pub(super) method: String,
    pub(super) path: String,
    pub(super) query: String,
    /// How the client calls us, e.g. `127.0.0.1:43121`.
    pub(super) host: String,
    pub(super) authorization: Option<String>,
    pub(super) subscription_key: Option<String>,
    pub(super) body: Vec<u8>,
}

/// The simulated ERCOT.
#[derive(Debug)]
pub struct Service {
    world: World,
    clock: WorldClock,
    limits: Limits,
    state: Mutex<State>,
}

/// What requests change.
#[derive(Debug)]
struct State {
    tokens: Tokens,
    usage: Usage,
    log: RequestLog,
    faults: Arc<FaultPlan>,
    matches: Matches,
}

impl Service {
    /// Makes a simulated ERCOT.
    #[must_use]
    pub fn new(settings: ServiceSettings) -> Self {
        Self {
            world: World::new(settings.seed, settings.first_day),
            clock: settings.clock,
            limits: settings.limits,
            state: Mutex::new(State {
                tokens: Tokens::default(),
                usage: Usage::default(),
                log: RequestLog::default(),
                faults: Arc::new(settings.faults),
                matches: Matches::default(),
            }),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Answers a request.
    pub(super) fn answer(&self, request: &Request) -> Answer {
        if let Some(answer) = self.administer(request) {
            return answer;
        }
        let query = Query::read(&request.query);
        let now = self.clock.now();
        let route = Route::of(&request.method, &request.path, &query);
        let (faults, fault) = self.decide(route.as_ref());
        let answer = match &route {
            None => Err(Refusal::NotFound(format!("no address {}", request.path))),
            Some(route) => self
                .admit(route.kind(), request, &query)
                .and_then(|()| self.respond(route, request, &query, (&faults, fault.as_ref()))),
        };
        let answer = answer.unwrap_or_else(|refusal| refusal.answer(now));
        let answer = fault.as_ref().map_or(answer.clone(), |fault| spoilt(answer, fault));
        let mut state = self.state();
        if route.as_ref().is_some_and(|route| route.kind().is_public_api()) {
            state.usage.sent(answer.body.len());
        }
        state.log.add(Entry {
            time: now,
            method: request.method.clone(),
            target: target(&request.path, &request.query),
            route: route.as_ref().map(|route| route.kind().name()),
            report: route.as_ref().and_then(Route::report).map(|report| report.emil_id()),
            documents: documents(&query, request),
            status: answer.status,
            bytes: answer.body.len(),
            fault: fault.as_ref().map(Fault::name),
        });
        answer
    }

    /// Returns the plan of faults, and what of it hits this request.
    fn decide(&self, route: Option<&Route>) -> (Arc<FaultPlan>, Option<Fault>) {
        let mut state = self.state();
        let faults = Arc::clone(&state.faults);
        let Some(route) = route else { return (faults, None) };
        let now = self.clock.now();
        let fault = faults.of_request(&mut state.matches, route.kind(), route.report(), now);
        let fault = fault.cloned();
        (faults, fault)
    }

    /// Checks credentials and limits, as the gateway does before the application is asked.
    fn admit(&self, route: RouteKind, request: &Request, query: &Query) -> Result<(), Refusal> {
        if !route.is_public_api() {
            return Ok(());
        }
        let now = self.clock.monotonic();
        let key = query.get(SUBSCRIPTION_PARAMETER).or(request.subscription_key.as_deref());
        let mut state = self.state();
        state.tokens.check(key, request.authorization.as_deref(), now)?;
        state.usage.admit(self.limits, now)
    }

    fn respond(
        &self,
        route: &Route,
        request: &Request,
        query: &Query,
        (faults, fault): (&FaultPlan, Option<&Fault>),
    ) -> Result<Answer, Refusal> {
        if let Some(refusal) = fault.and_then(refusal_of) {
            return Err(refusal);
        }
        let mut postings = Postings { world: &self.world, faults, now: self.clock.now() };
        let change = fault.map_or(Change::None, change_of);
        let is_list = !route.kind().is_download() && route.kind() != RouteKind::Rows;
        if change == Change::Emptied && is_list {
            // A list before anything was posted.
            postings.now = self.world.first_day().plus_days(-1).start();
        }
        let base = format!("http://{}", request.host);
        let layout = |report| Layout::of(report).ok_or_else(|| not_served(report));
        match route {
            Route::Token => {
                let form = Query::read(&String::from_utf8_lossy(&request.body));
                Ok(self.state().tokens.grant(&form, self.clock.monotonic()))
            }
            Route::Products => {
                let last = |report| last_posted(postings, report);
                Ok(Answer::json(200, &products::list(&base, last)))
            }
            Route::Product(report) => {
                let last = last_posted(postings, *report);
                Ok(Answer::json(200, &products::product(&base, *report, last)))
            }
            Route::Rows(report) => rows::answer(postings, layout(*report)?, query, change),
            Route::ArchiveList(report) => lists::archive(postings, layout(*report)?, query, &base),
            Route::BundleList(report) => lists::bundles(postings, *report, query, &base),
            Route::ArchiveDownload(report) => {
                let wanted = Wanted::read(query, &request.body)?;
                lists::archive_files(postings, layout(*report)?, &wanted, change)
            }
            Route::BundleDownload(report) => {
                let wanted = Wanted::read(query, &request.body)?;
                lists::bundle_files(postings, layout(*report)?, &wanted, change)
            }
            Route::MisList(report) => lists::mis(postings, layout(*report)?),
            Route::MisDownload(_) => lists::mis_file(postings, query, change),
        }
    }

    /// Answers what is not ERCOT's: changes of the faults and the log of requests.
    fn administer(&self, request: &Request) -> Option<Answer> {
        let answer = match (request.method.as_str(), request.path.as_str()) {
            ("GET", "/admin/requests") => {
                let query = Query::read(&request.query);
                let skipped = query.get("skip").map_or(Ok(0), str::parse);
                match skipped {
                    Ok(skipped) => Answer::json(200, &self.state().log.json(skipped)),
                    Err(_) => {
                        let message = "skip: expected how many requests, e.g. skip=100";
                        Answer::json(400, &json!({ "error": message }))
                    }
                }
            }
            ("POST", "/admin/faults") => match self.plan(&request.body) {
                Ok(plan) => self.replace(plan),
                Err(message) => Answer::json(400, &json!({ "error": message })),
            },
            ("DELETE", "/admin/faults") => self.replace(FaultPlan::default()),
            (_, path) if path.starts_with("/admin/") => {
                let known = "GET /admin/requests, POST /admin/faults, DELETE /admin/faults";
                let message = format!("no such address; known: {known}");
                Answer::json(404, &json!({ "error": message }))
            }
            _ => return None,
        };
        Some(answer)
    }

    fn plan(&self, body: &[u8]) -> Result<FaultPlan, String> {
        let plan = serde_json::from_slice(body).map_err(|error| format!("not JSON: {error}"))?;
        FaultPlan::from_json(&plan).map_err(|error| error.to_string())
    }

    fn replace(&self, plan: FaultPlan) -> Answer {
        let rules = plan.rules();
        self.change_faults(plan);
        Answer::json(200, &json!({ "rules": rules }))
    }

    /// Lets other things go wrong from now on.
    pub fn change_faults(&self, plan: FaultPlan) {
        let mut state = self.state();
        (state.faults, state.matches) = (Arc::new(plan), Matches::default());
    }
}

fn not_served(report: market::reports::Report) -> Refusal {
    Refusal::NotFound(format!("{} is not served", report.emil_id()))
}

/// Returns when a product was posted last, looking back for some days.
fn last_posted(postings: Postings<'_>, report: market::reports::Report) -> Option<String> {
    const DAYS: i32 = 1;
    let today = market::time::OperatingDay::of(postings.now);
    let documents = postings.of_days(Layout::of(report)?, today.plus_days(-DAYS), today).ok()?;
    documents.last().map(|document| naive(document.posted_at))
}

fn refusal_of(fault: &Fault) -> Option<Refusal> {
    match fault {
        Fault::Throttle { .. } => Some(Refusal::Throttled),
        Fault::Bandwidth { .. } => Some(Refusal::BandwidthExceeded),
        Fault::ExpiredToken => Some(Refusal::NoToken),
        Fault::ServerError { status } => Some(Refusal::Failed(*status)),
        Fault::BadRequest => {
            Some(Refusal::BadRequest("The request could not be processed.".into()))
        }
        _ => None,
    }
}

fn change_of(fault: &Fault) -> Change<'_> {
    match fault {
        Fault::RenamedColumn { column, renamed_to } => Change::Renamed(column, renamed_to),
        Fault::DuplicatedRows => Change::Duplicated,
        Fault::Empty => Change::Emptied,
        _ => Change::None,
    }
}

/// Does to an answer's bytes what a fault says.
fn spoilt(mut answer: Answer, fault: &Fault) -> Answer {
    let length = answer.body.len();
    match fault {
        Fault::SlowLoris { bytes, pause } => {
            answer.conduct = Conduct::Trickle { bytes: *bytes, pause: *pause };
        }
        Fault::Reset { after } => {
            let half = length / 2;
            answer.conduct = Conduct::CutOff { after: after.map_or(half, |after| after.min(half)) };
        }
        Fault::Throttle { retry_after } | Fault::Bandwidth { retry_after } => {
            answer.retry_after = *retry_after;
        }
        Fault::WrongContentType => answer.content_type = HTML,
        Fault::TruncatedZip if answer.status == 200 => answer.body.truncate(length / 2),
        Fault::CorruptedZip if answer.status == 200 => corrupt(&mut answer.body),
        Fault::Html => {
            let page = "<html><head><title>ERCOT</title></head><body>Please wait.</body></html>";
            answer = Answer::new(200, HTML, page.into());
        }
        _ => {}
    }
    answer
}

/// Turns over the bits in the middle of the first file of a zip file, so that its checksum is
/// wrong and nothing else.
fn corrupt(zip: &mut [u8]) {
    const HEADER: usize = 30;
    let number = |at: usize, bytes: usize| {
        let bytes = zip.get(at..at + bytes).unwrap_or_default();
        bytes.iter().rev().fold(0, |number, byte| number << 8 | usize::from(*byte))
    };
    let middle = HEADER + number(26, 2) + number(28, 2) + number(18, 4) / 2;
    if let Some(byte) = zip.get_mut(middle) {
        *byte = !*byte;
    }
}

/// Returns path and query as the log shows them.
fn target(path: &str, query: &str) -> String {
    let is_secret = |pair: &&str| pair.split('=').next() == Some(SUBSCRIPTION_PARAMETER);
    let shown: Vec<&str> = query.split('&').filter(|pair| !is_secret(pair)).collect();
    let shown = shown.join("&");
    if shown.is_empty() { path.to_owned() } else { format!("{path}?{shown}") }
}

/// Returns the ids of the files that a request names.
fn documents(query: &Query, request: &Request) -> Vec<i64> {
    if let Some(id) = query.get("doclookupId") {
        return id.parse().ok().into_iter().collect();
    }
    let is_download = query.get("download").is_some() || request.path.ends_with("/download");
    let wanted = is_download.then(|| Wanted::read(query, &request.body).ok()).flatten();
    wanted.map(|wanted| wanted.ids().to_vec()).unwrap_or_default()
}
