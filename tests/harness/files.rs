//! Files that go into documents and come out of them.

use super::server::Server;
use super::tenant::Tenant;
use base64::Engine;
use futures_util::stream;
use reqwest::{Body, Method, RequestBuilder};
use sha2::{Digest, Sha256};
use std::fmt::Write as _;
use std::io::Write as _;
use std::net::TcpStream;

/// A file of some bytes, which differs from those of other seeds.
pub(crate) fn file(bytes: usize, seed: u64) -> Vec<u8> {
    let mut state = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let next = std::iter::repeat_with(move || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (state >> 33).to_le_bytes()[0]
    });
    next.take(bytes).collect()
}

/// A body that is sent in chunks, and whose length the request does not tell.
pub(crate) fn chunked(content: &[u8]) -> Body {
    let chunks: Vec<_> = content
        .chunks(50_000)
        .map(|chunk| Ok::<_, String>(chunk.to_vec()))
        .collect();
    Body::wrap_stream(stream::iter(chunks))
}

/// Its SHA-256 in hexadecimal, as documents tell it.
pub(crate) fn sha256(content: &[u8]) -> String {
    Sha256::digest(content).iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").expect("a text can be written");
        text
    })
}

/// The `Content-Digest` of a file.
pub(crate) fn content_digest(content: &[u8]) -> String {
    let digest = base64::engine::general_purpose::STANDARD.encode(Sha256::digest(content));
    format!("sha-256=:{digest}:")
}

/// A request that puts the content of a document.
pub(crate) fn put(tenant: &Tenant, id: &str, content: impl Into<Body>) -> RequestBuilder {
    tenant
        .request(Method::PUT, &format!("/v1/documents/{id}/content"))
        .header("Content-Type", "text/plain; charset=utf-8")
        .body(content)
}

/// What a download brings; the harness reads texts only.
pub(crate) struct Download {
    pub(crate) status: u16,
    headers: reqwest::header::HeaderMap,
    pub(crate) bytes: Vec<u8>,
}

impl Download {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().expect("a text"))
    }
}

/// Downloads it.
pub(crate) async fn download(request: RequestBuilder) -> Download {
    let response = request.send().await.expect("the server answers");
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    let bytes = response.bytes().await.expect("the content is whole").to_vec();
    Download { status, headers, bytes }
}

/// A request for the content of a document.
pub(crate) fn content(tenant: &Tenant, id: &str, query: &str) -> RequestBuilder {
    tenant.request(Method::GET, &format!("/v1/documents/{id}/content{query}"))
}

/// A request written by hand: the head of a PUT of some length, and as much of the body as is given.
pub(crate) fn begin_put(server: &Server, tenant: &Tenant, id: &str, length: usize, body: &[u8]) -> TcpStream {
    let address = server.url.strip_prefix("http://").expect("an address");
    let mut stream = TcpStream::connect(address).expect("the server listens");
    let head = format!(
        "PUT /v1/documents/{id}/content HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {}\r\n\
         Content-Type: application/pdf\r\nContent-Length: {length}\r\n\r\n",
        tenant.token
    );
    stream.write_all(head.as_bytes()).expect("the head is sent");
    stream.write_all(body).expect("a part of the body is sent");
    stream
}
