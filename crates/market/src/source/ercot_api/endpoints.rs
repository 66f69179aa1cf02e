//! Where ERCOT is; all of it can be pointed at a simulated one.

use crate::source::http::{BaseUrl, BaseUrlError};

/// The addresses of ERCOT's services.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ErcotEndpoints {
    /// The Public API.
    pub public_reports: BaseUrl,
    /// Where its tokens come from: the whole address of the token endpoint.
    pub token: BaseUrl,
    /// The MIS, up to and without `misapp`.
    pub mis: BaseUrl,
}

impl ErcotEndpoints {
    /// The Public API's address.
    pub const PUBLIC_REPORTS: &str = "https://api.ercot.com/api/public-reports";
    /// The token endpoint's address.
    pub const TOKEN: &str = "https://ercotb2c.b2clogin.com/ercotb2c.onmicrosoft.com/B2C_1_PUBAPI-ROPC-FLOW/oauth2/v2.0/token";
    /// The MIS's address.
    pub const MIS: &str = "https://www.ercot.com";

    /// Reads the three addresses.
    pub fn new(public_reports: &str, token: &str, mis: &str) -> Result<Self, BaseUrlError> {
        Ok(Self {
            public_reports: BaseUrl::new("ERCOT's Public API", public_reports)?,
            token: BaseUrl::new("ERCOT's token endpoint", token)?,
            mis: BaseUrl::new("ERCOT's MIS", mis)?,
        })
    }
}

impl Default for ErcotEndpoints {
    /// Returns the real ones.
    fn default() -> Self {
        Self::new(Self::PUBLIC_REPORTS, Self::TOKEN, Self::MIS).expect("they are URLs")
    }
}
