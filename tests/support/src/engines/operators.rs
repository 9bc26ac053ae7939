//! The operators of `JobSet`, `PyTorchJob`, `MPIJob`, `RayCluster` and `RayJob`, in one process.

use std::fs;
use std::net::TcpStream;
use std::sync::OnceLock;
use std::time::Instant;

use super::{START_LIMIT, engine};
use crate::control_plane::{ControlPlane, free_ports};

/// The running operators.
pub struct Operators {
    /// Where their webhooks are, `https://127.0.0.1:<port>`.
    pub webhooks: String,
    /// The authority of the webhooks' certificate.
    pub ca_pem: &'static str,
}

impl Operators {
    /// Returns the operators of this process, started at the first call: their kinds must be served before. Panics with
    /// the reason if they can't be.
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<Operators> = OnceLock::new();
        SHARED.get_or_init(|| {
            Self::start(ControlPlane::shared()).unwrap_or_else(|why| panic!("the operators: {why}"))
        })
    }

    fn start(control_plane: &'static ControlPlane) -> Result<Self, String> {
        let programs = control_plane.programs();
        let certificates = programs.folder().join("webhooks");
        let server = control_plane.authority().server();
        fs::create_dir(&certificates)
            .and_then(|()| fs::write(certificates.join("tls.crt"), server.certificate_pem))
            .and_then(|()| fs::write(certificates.join("tls.key"), server.key_pem))
            .map_err(|error| format!("their files: {error}"))?;
        let [port] = free_ports();
        let arguments = [
            format!("--kubeconfig={}", control_plane.kubeconfig_file().display()),
            format!("--webhook-port={port}"),
            format!("--certificates={}", certificates.display()),
        ];
        programs.start(&engine("operators"), &arguments).map_err(|error| error.to_string())?;
        let start = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            if start.elapsed() > START_LIMIT {
                return Err(format!("not ready after {START_LIMIT:?}\n{}", programs.last_words()));
            }
            std::thread::sleep(std::time::Duration::from_millis(50));
        }
        Ok(Self { webhooks: format!("https://127.0.0.1:{port}"), ca_pem: control_plane.authority().pem() })
    }
}
