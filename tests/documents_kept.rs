//! How the content of documents is kept: what is refused, what is removed, what survives.

use crate::harness::files::{begin_put, chunked, content, download, file, put, sha256};
use crate::harness::{NOBODY, Send, Server, Settings, Tenant, eventually, id_of};
use serde_json::json;
use std::io::Read;
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// The files in a server's folder of documents.
fn files(server: &Settings) -> Vec<PathBuf> {
    let entries = |folder: &Path| -> Vec<PathBuf> {
        let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
        entries.map(|entry| entry.path()).collect()
    };
    let tenants = entries(&server.folder.join("documents"));
    tenants.iter().flat_map(|tenant| entries(tenant)).collect()
}

async fn no_files(server: &Settings) {
    eventually("an empty folder", async || files(server).is_empty().then_some(())).await;
}

fn status_line(mut stream: TcpStream) -> String {
    let mut answer = [0; 12];
    stream
        .set_read_timeout(Some(Duration::from_secs(20)))
        .expect("a time-out");
    stream.read_exact(&mut answer).expect("an answer");
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test]
async fn what_is_too_large_of_another_type_or_broken_off_leaves_nothing() {
    let settings = Settings::new().with("RAPPORT_DOCUMENT_MAX_BYTES", "600000");
    let server = Server::start(settings.with("RAPPORT_DOCUMENT_TYPES", "application/pdf, image/*"));
    let tenant = Tenant::on(&server);
    let id = tenant.example_id("documents").await;
    let limits = tenant.get("/v1/limits").await.expect(200).body;
    assert_eq!(limits["document_bytes"], 600_000);
    let typed = |content_type: &str, body: reqwest::Body| {
        let path = format!("/v1/documents/{id}/content");
        tenant
            .request(reqwest::Method::PUT, &path)
            .header("Content-Type", content_type)
            .body(body)
    };

    let early = begin_put(&server, &tenant, &id, 600_001, b"");
    assert_eq!(status_line(early), "HTTP/1.1 413", "the length alone tells");
    let streamed = typed("application/pdf", chunked(&file(600_001, 5))).answer().await;
    streamed.expect_problem(413, "body_too_large");
    for other in [
        "text/html",
        "application/octet-stream",
        "imagery/png",
        "pdf",
        "application/pdfx",
    ] {
        let refused = typed(other, "content".into()).answer().await;
        refused.expect_problem(415, "unsupported_media_type");
    }
    let untyped = tenant
        .request(reqwest::Method::PUT, &format!("/v1/documents/{id}/content"))
        .body("content");
    untyped.answer().await.expect_problem(415, "unsupported_media_type");
    let zipped = typed("image/png", "content".into())
        .header("Content-Encoding", "gzip")
        .answer()
        .await;
    zipped.expect_problem(415, "unsupported_media_type");
    let partial = typed("image/png", "content".into())
        .header("Content-Range", "bytes 0-6/9")
        .answer()
        .await;
    partial.expect_faults(400, &["?Content-Range unsupported"]);
    let digest = "sha-256=:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=:";
    let garbled = typed("image/png", chunked(&file(500_000, 6)))
        .header("Content-Digest", digest)
        .answer()
        .await;
    garbled.expect_faults(400, &["?Content-Digest digest_mismatch"]);
    let wrong = typed("image/png", "content".into())
        .header("Content-Digest", "sha-256=:AAAA:")
        .answer()
        .await;
    wrong.expect_faults(400, &["?Content-Digest invalid_value"]);

    let broken = begin_put(&server, &tenant, &id, 550_000, &file(540_000, 7));
    eventually("the part that was sent", async || {
        (!files(&server.settings).is_empty()).then_some(())
    })
    .await;
    broken.shutdown(std::net::Shutdown::Both).expect("it is open");
    no_files(&server.settings).await;
    content(&tenant, &id, "")
        .answer()
        .await
        .expect_problem(404, "not_found");
    let record = tenant.get(&format!("/v1/documents/{id}")).await.expect(200).body;
    assert_eq!((&record["version"], &record["content_version"]), (&json!(1), &json!(0)));
    typed("IMAGE/PNG", file(600_000, 8).into()).answer().await.expect(201);
    assert_eq!(files(&server.settings).len(), 1);
}

#[tokio::test]
async fn what_is_purged_is_removed_and_so_is_what_belongs_to_no_document() {
    let server = Server::start(Settings::new().with("RAPPORT_DOCUMENT_ORPHAN_SECONDS", "2"));
    let tenant = Tenant::on(&server);
    let first = tenant.create_example("documents").await;
    let (first, customer) = (id_of(&first), first["subject"]["id"].clone());
    let body = json!({"subject": {"type": "customer", "id": customer}, "name": "second.txt"});
    let second = id_of(&tenant.create("documents", body).await);
    let stays = tenant.example_id("documents").await;
    for (id, text) in [(&first, "1"), (&first, "2"), (&second, "1"), (&stays, "1")] {
        assert!(put(&tenant, id, text).answer().await.status < 300);
    }
    // What is not kept goes at once: a repeated version, and one that was answered before.
    put(&tenant, &first, "2").answer().await.expect(200);
    for _ in 0..2 {
        let keyed = put(&tenant, &second, "2").header("Idempotency-Key", "k");
        keyed.answer().await.expect(200);
    }
    assert_eq!(files(&server.settings).len(), 5);
    let note = json!({"subject": {"type": "document", "id": second}, "body": "Out of date."});
    let note = id_of(&tenant.create("notes", note).await);

    tenant
        .delete(&format!("/v1/documents/{first}?purge=true"))
        .await
        .expect(204);
    eventually("two versions fewer", async || {
        (files(&server.settings).len() == 3).then_some(())
    })
    .await;
    let customer = customer.as_str().expect("an id");
    tenant
        .delete(&format!("/v1/customers/{customer}?purge=true"))
        .await
        .expect(204);
    tenant.get(&format!("/v1/documents/{second}")).await.expect(404);
    tenant.get(&format!("/v1/notes/{note}")).await.expect(404);
    eventually("what belonged to the customer is gone", async || {
        (files(&server.settings).len() == 1).then_some(())
    })
    .await;
    assert_eq!(tenant.changes_of("document.purged").await.len(), 2);

    let kept = files(&server.settings).remove(0);
    let orphan = kept.with_file_name(NOBODY);
    let begun = kept.with_file_name(format!("{NOBODY}#1"));
    let foreign = kept.with_file_name("read me.txt");
    for path in [&orphan, &begun, &foreign] {
        std::fs::write(path, "left over").expect("the folder can be written");
    }
    let written = Instant::now();
    eventually("the orphans are gone", async || {
        (!orphan.exists() && !begun.exists()).then_some(())
    })
    .await;
    assert!(
        written.elapsed() > Duration::from_secs(1),
        "not before they were old enough"
    );
    assert!(
        kept.exists() && foreign.exists(),
        "what is named stays, and what is not ours"
    );
    assert_eq!(download(content(&tenant, &stays, "")).await.bytes, b"1");
}

#[tokio::test]
async fn content_that_was_answered_survives_a_kill() {
    let settings = Settings::new().with("RAPPORT_DOCUMENT_ORPHAN_SECONDS", "3");
    let server = Server::start(settings);
    let tenant = Tenant::on(&server);
    let id = tenant.example_id("documents").await;
    let answered = Mutex::new(Vec::new());
    let uploads = |writer: u64| {
        let (tenant, id, answered) = (&tenant, &id, &answered);
        async move {
            for number in 0.. {
                let content = file(400_000, writer * 1_000 + number);
                match put(tenant, id, chunked(&content)).try_answer().await {
                    Ok(answer) if answer.status < 300 => {
                        let version = answer.body["content_version"].as_i64().expect("a number");
                        answered
                            .lock()
                            .expect("no writer failed")
                            .push((version, sha256(&content)));
                    }
                    Ok(answer) => panic!("a live server answered {}", answer.text),
                    Err(_) => return,
                }
            }
        }
    };
    let killing = async {
        tokio::time::sleep(Duration::from_millis(1_500)).await;
        server.kill()
    };
    let (settings, ..) = tokio::join!(killing, uploads(1), uploads(2), uploads(3), uploads(4));
    let server = Server::start(settings);
    let tenant = tenant.at(&server);
    let answered = answered.into_inner().expect("no writer failed");
    assert!(answered.len() > 3, "there was load");
    let versions = tenant.all(&format!("/v1/documents/{id}/versions?limit=500")).await;
    for (number, hash) in &answered {
        let version = versions.iter().find(|version| version["version"] == *number);
        assert_eq!(
            version.map(|version| &version["sha256"]),
            Some(&json!(hash)),
            "version {number} was answered"
        );
    }
    for version in &versions {
        let found = download(content(&tenant, &id, &format!("?version={}", version["version"]))).await;
        assert_eq!(
            json!(sha256(&found.bytes)),
            version["sha256"],
            "what is told of is whole"
        );
    }
    let record = tenant.get(&format!("/v1/documents/{id}")).await.expect(200).body;
    assert_eq!(record["content_version"], json!(versions.len()));
    eventually("what had been begun is gone", async || {
        (files(&server.settings).len() == versions.len()).then_some(())
    })
    .await;
}
