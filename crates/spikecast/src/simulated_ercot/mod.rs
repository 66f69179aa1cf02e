//! The simulated ERCOT, served over HTTP in ERCOT's own wire formats, with faults on demand.
//!
//! It stands in for `api.ercot.com`, its login and the MIS of `www.ercot.com`, so that tests
//! exercise the real client. `service` answers requests: `route` says which of ERCOT's addresses
//! one asks for, `rows` and `lists` answer from what is posted by now (`documents`), which
//! `layouts` write as ERCOT writes its reports, from the simulated market (`world`). `faults` says
//! what goes wrong, `server` and `wire` speak HTTP. It decides nothing about the market, and no
//! client code is shared with it.

mod answer;
mod clock;
mod credentials;
mod documents;
mod faults;
mod layouts;
mod limits;
mod lists;
mod log;
mod products;
mod route;
mod rows;
mod server;
mod service;
mod table;
mod wire;
mod world;

pub use clock::WorldClock;
pub use credentials::{CLIENT_ID, PASSWORD, SUBSCRIPTION_KEY, USERNAME};
pub use faults::{Fault, FaultPlan, FaultPlanError};
pub use limits::{BYTES_PER_HOUR, Limits, REQUESTS_PER_MINUTE};
pub use route::RouteKind;
pub use server::{Server, Stop};
pub use service::{Service, ServiceSettings};
