//! The promises of the service, told over HTTP against a running server, on either database.
