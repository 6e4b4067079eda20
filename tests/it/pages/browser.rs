//! A browser without a window, spoken to in Chrome's own protocol over a pair of pipes: no port, no driver.

use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

/// Messages end with a zero byte.
const END: u8 = 0;

/// A browser; it is closed when this goes.
pub struct Browser {
    child: Child,
    orders: ChildStdin,
    news: BufReader<ChildStdout>,
    orders_given: u64,
    _profile: tempfile::TempDir,
}

/// A tab, and what it was heard to do.
pub struct Tab<'a> {
    browser: &'a mut Browser,
    session: String,
    heard: Vec<Value>,
}

impl Browser {
    /// Starts Chromium. It reads orders from file 3 and tells news on file 4.
    pub fn start() -> Self {
        let profile = tempfile::tempdir().expect("there is room");
        let mut child = Command::new("sh")
            .arg("-c")
            .arg(
                "exec chromium --headless=new --remote-debugging-pipe --no-sandbox --disable-gpu --no-first-run \
                 --disable-dev-shm-usage --hide-scrollbars --disable-background-networking --disable-component-update \
                 --host-resolver-rules='MAP * ~NOTFOUND' --user-data-dir=\"$1\" 3<&0 4>&1 </dev/null >/dev/null 2>&1",
            )
            .args(["chromium", profile.path().to_str().expect("its name is text")])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("there is a shell");
        let orders = child.stdin.take().expect("it is piped");
        let news = BufReader::new(child.stdout.take().expect("it is piped"));
        Self { child, orders, news, orders_given: 0, _profile: profile }
    }

    /// Opens an empty tab.
    pub fn tab(&mut self) -> Tab<'_> {
        let mut unheard = Vec::new();
        let target = self.order(None, "Target.createTarget", json!({ "url": "about:blank" }), &mut unheard);
        let attach = json!({ "targetId": target["targetId"], "flatten": true });
        let attached = self.order(None, "Target.attachToTarget", attach, &mut unheard);
        let session = attached["sessionId"].as_str().expect("a session has a name").to_owned();
        let mut tab = Tab { browser: self, session, heard: Vec::new() };
        for part in ["Page", "Network", "Log", "Runtime"] {
            tab.order(&format!("{part}.enable"), json!({}));
        }
        tab
    }

    fn order(&mut self, session: Option<&str>, method: &str, params: Value, heard: &mut Vec<Value>) -> Value {
        self.orders_given += 1;
        let id = self.orders_given;
        let mut order = json!({ "id": id, "method": method, "params": params });
        if let Some(session) = session {
            order["sessionId"] = session.into();
        }
        let mut bytes = order.to_string().into_bytes();
        bytes.push(END);
        self.orders.write_all(&bytes).expect("chromium listens; `make test-deps` installs it");
        loop {
            let mut news = self.news();
            if news["id"] == id {
                assert!(news.get("error").is_none(), "{method}: {news}");
                return news["result"].take();
            }
            heard.push(news);
        }
    }

    fn news(&mut self) -> Value {
        let mut bytes = Vec::new();
        self.news.read_until(END, &mut bytes).expect("chromium answers");
        assert_eq!(bytes.pop(), Some(END), "chromium is there; `make test-deps` installs it");
        serde_json::from_slice(&bytes).expect("it speaks JSON")
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // It ends when nobody can give it orders any more; a browser that was never there is no trouble here.
        let _ = self.orders.write_all(b"{\"id\":0,\"method\":\"Browser.close\"}\0");
        let _ = self.child.wait();
    }
}

impl Tab<'_> {
    /// Carries out an order of the protocol.
    pub fn order(&mut self, method: &str, params: Value) -> Value {
        self.browser.order(Some(&self.session), method, params, &mut self.heard)
    }

    /// Opens a file and waits until all of it is there.
    pub fn open(&mut self, page: &Path) {
        self.order("Page.navigate", json!({ "url": format!("file://{}", page.display()) }));
        while !self.heard.iter().any(|news| news["method"] == "Page.loadEventFired") {
            let news = self.browser.news();
            self.heard.push(news);
        }
    }

    /// Sets the screen: its width, and whether it is dark.
    pub fn screen(&mut self, width: u32, dark: bool) {
        let scheme = if dark { "dark" } else { "light" };
        let features = json!([{ "name": "prefers-color-scheme", "value": scheme }]);
        self.order("Emulation.setEmulatedMedia", json!({ "features": features }));
        let size = json!({ "width": width, "height": 900, "deviceScaleFactor": 1, "mobile": false });
        self.order("Emulation.setDeviceMetricsOverride", size);
    }

    /// What an expression comes to.
    pub fn evaluate(&mut self, expression: &str) -> Value {
        let params = json!({ "expression": expression, "awaitPromise": true, "returnByValue": true });
        let mut came = self.order("Runtime.evaluate", params);
        assert!(came.get("exceptionDetails").is_none(), "{came}");
        came["result"]["value"].take()
    }

    /// Everything it was heard to fetch, or was kept from fetching, beside the page itself.
    pub fn strayed(&self) -> Vec<String> {
        let mut strayed = Vec::new();
        for news in &self.heard {
            let params = &news["params"];
            match news["method"].as_str().unwrap_or_default() {
                "Network.requestWillBeSent" if params["type"] != "Document" => {
                    strayed.push(format!("fetches {}", params["request"]["url"]));
                }
                "Log.entryAdded" if params["entry"]["level"] != "verbose" => {
                    strayed.push(params["entry"]["text"].to_string());
                }
                "Runtime.exceptionThrown" => strayed.push(params["exceptionDetails"]["text"].to_string()),
                _ => {}
            }
        }
        strayed
    }

    /// The page as a picture, whole.
    pub fn picture(&mut self) -> Vec<u8> {
        let params = json!({ "format": "png", "captureBeyondViewport": true });
        let picture = self.order("Page.captureScreenshot", params);
        plain(picture["data"].as_str().expect("a picture"))
    }

    /// The page on paper.
    pub fn paper(&mut self) -> Vec<u8> {
        let paper =
            self.order("Page.printToPDF", json!({ "preferCSSPageSize": true, "printBackground": true }));
        plain(paper["data"].as_str().expect("a document"))
    }
}

/// Out of base 64.
fn plain(text: &str) -> Vec<u8> {
    piped(Command::new("base64").arg("-d"), text.as_bytes())
}

/// What a program makes of bytes.
pub fn piped(command: &mut Command, input: &[u8]) -> Vec<u8> {
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("`make test-deps` installs it");
    let mut stdin = child.stdin.take().expect("it is piped");
    std::thread::scope(|scope| {
        scope.spawn(move || stdin.write_all(input).expect("it reads all"));
        let out = child.wait_with_output().expect("it ends");
        assert!(out.status.success(), "{command:?}");
        out.stdout
    })
}
