//! An empty room to run permitd in, what it said there, and statements to begin with.

mod lambda;
pub(crate) mod tls;

use std::{
    fmt,
    io::{BufRead, BufReader, Read, Write},
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    sync::{Arc, Mutex},
    thread,
    time::Duration,
};

use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::time::Instant;

pub(crate) use lambda::{Lambda, http, http_with};

pub(crate) const PERMITD: &str = env!("CARGO_BIN_EXE_permitd");
pub(crate) const FN: &str = "arn:aws:lambda:us-east-1:123456789012:function:f";

/// Only there so that a test that hangs fails.
const PATIENCE: Duration = Duration::from_mins(1);

/// Asks again and again until the answer is there.
pub(crate) fn eventually<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(it) = ask() {
            return it;
        }
        assert!(start.elapsed() < PATIENCE, "waited too long: {what}");
        thread::sleep(Duration::from_millis(10));
    }
}

/// A terminal for permitd's standard input; what is typed comes from the pipe.
const TERMINAL: &str = "
import os, pty, subprocess, sys
typed, program = sys.argv[1].encode(), sys.argv[2:]
mine, theirs = pty.openpty()
child = subprocess.Popen(program, stdin=theirs)
os.close(theirs)
os.write(mine, typed)
sys.exit(child.wait())
";

/// A terminal of so many columns for all of permitd's streams; what it shows is copied to the pipe.
const SCREEN: &str = "
import fcntl, os, pty, struct, subprocess, sys, termios
columns, program = int(sys.argv[1]), sys.argv[2:]
mine, theirs = pty.openpty()
fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack('HHHH', 24, columns, 0, 0))
child = subprocess.Popen(program, stdin=theirs, stdout=theirs, stderr=theirs)
os.close(theirs)
while True:
    try:
        shown = os.read(mine, 65536)
    except OSError:
        break
    if not shown:
        break
    os.write(1, shown)
sys.exit(child.wait())
";

/// A directory to run permitd in. Its environment has nothing but what is put there.
pub(crate) struct Room {
    dir: TempDir,
    env: Vec<(String, String)>,
}

impl Room {
    /// With credentials, a region, no way to reach anything and no need to be slow.
    pub(crate) fn new() -> Self {
        let mut res = Self { dir: tempfile::tempdir().unwrap(), env: Vec::new() };
        let path = std::env::var("PATH").unwrap();
        let dir = res.dir.path().to_str().unwrap().to_owned();
        for (key, value) in [
            ("PATH", path.as_str()),
            ("HOME", "/nonexistent"),
            ("XDG_STATE_HOME", dir.as_str()),
            ("XDG_RUNTIME_DIR", dir.as_str()),
            ("AWS_EC2_METADATA_DISABLED", "true"),
            ("AWS_ACCESS_KEY_ID", "test"),
            ("AWS_SECRET_ACCESS_KEY", "test"),
            ("AWS_REGION", "us-east-1"),
            ("AWS_ENDPOINT_URL", "http://127.0.0.1:9"),
            ("PERMITD_GET_POLICY_BUDGET", "unlimited"),
            ("PERMITD_CONTROL_BUDGET", "unlimited"),
            ("PERMITD_HTTP_LISTEN", "127.0.0.1:0"),
        ] {
            res = res.with(key, value);
        }
        res
    }

    /// With `permissions.yaml`, and this server as AWS.
    pub(crate) fn at(endpoint: &str, permissions: &str) -> Self {
        let res = Self::new().with("AWS_ENDPOINT_URL", endpoint);
        res.write("permissions.yaml", permissions);
        res
    }

    pub(crate) fn with(mut self, key: &str, value: &str) -> Self {
        self.env.retain(|(it, _)| it != key);
        self.env.push((key.into(), value.into()));
        self
    }

    pub(crate) fn without(mut self, key: &str) -> Self {
        self.env.retain(|(it, _)| it != key);
        self
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    pub(crate) fn command(&self, program: impl AsRef<Path>) -> Command {
        let mut res = Command::new(program.as_ref());
        res.env_clear().envs(self.env.iter().cloned()).current_dir(self.dir.path());
        res.stdin(Stdio::null());
        res
    }

    /// Words are separated by spaces.
    pub(crate) fn permitd(&self, words: &str) -> Said {
        self.say_to(words, "")
    }

    pub(crate) fn say_to(&self, words: &str, input: &str) -> Said {
        let mut command = self.command(PERMITD);
        command.args(words.split_whitespace()).stdin(Stdio::piped());
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        // A command that does not read its input may have ended already.
        drop(child.stdin.take().unwrap().write_all(input.as_bytes()));
        let output = child.wait_with_output().unwrap();
        Said {
            code: output.status.code(),
            out: self.tidy(&String::from_utf8(output.stdout).unwrap()),
            err: self.tidy(&String::from_utf8(output.stderr).unwrap()),
        }
    }

    /// Starts it, and goes on.
    pub(crate) fn start(&self, words: &str) -> Running {
        let mut command = self.command(PERMITD);
        command.args(words.split_whitespace());
        Running::new(command)
    }

    /// The same at a terminal, where this is typed; none where there is no python3 to make one with.
    pub(crate) fn on_terminal(&self, words: &str, typed: &str) -> Option<Running> {
        let has_pty = self.command("python3").args(["-c", "import pty"]).status();
        if !has_pty.is_ok_and(|it| it.success()) {
            let mut err = std::io::stderr();
            writeln!(err, "SKIPPED: no python3 to make a terminal with").unwrap();
            return None;
        }
        let mut command = self.command("python3");
        command.args(["-c", TERMINAL, typed, PERMITD]).args(words.split_whitespace());
        Some(Running::new(command))
    }

    /// What a terminal of so many columns shows of it; none where there is no python3 to make one with.
    pub(crate) fn on_screen(&self, words: &str, columns: usize) -> Option<Said> {
        let has_pty = self.command("python3").args(["-c", "import pty, fcntl, termios"]).status();
        if !has_pty.is_ok_and(|it| it.success()) {
            let mut err = std::io::stderr();
            writeln!(err, "SKIPPED: no python3 to make a terminal with").unwrap();
            return None;
        }
        let mut command = self.command("python3");
        command.args(["-c", SCREEN, &columns.to_string(), PERMITD]);
        command.args(words.split_whitespace());
        let output = command.output().unwrap();
        let text =
            |it: &[u8]| self.tidy(&String::from_utf8(it.to_vec()).unwrap().replace("\r\n", "\n"));
        Some(Said {
            code: output.status.code(),
            out: text(&output.stdout),
            err: text(&output.stderr),
        })
    }

    /// What `permitd history` has, oldest first.
    pub(crate) fn history(&self) -> Vec<Value> {
        let said = self.permitd("history --output json");
        assert_eq!((said.code, said.err.as_str()), (Some(0), ""), "{said:?}");
        said.json()["entries"].as_array().unwrap().clone()
    }

    /// What differs from run to run.
    fn tidy(&self, text: &str) -> String {
        let mut res = text.replace(self.dir.path().to_str().unwrap(), "ROOM");
        for (key, value) in &self.env {
            if key == "AWS_ENDPOINT_URL" {
                res = res.replace(value, "http://LAMBDA");
            }
        }
        res
    }
}

/// How a process ended.
#[derive(Clone, PartialEq)]
pub(crate) struct Said {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl fmt::Debug for Said {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { code, out, err } = self;
        write!(f, "exit code {code:?}\n--- stdout\n{out}--- stderr\n{err}---")
    }
}

impl Said {
    /// Exactly this.
    #[track_caller]
    pub(crate) fn is(&self, code: i32, out: &str, err: &str) {
        let expected = Self { code: Some(code), out: out.into(), err: err.into() };
        assert!(*self == expected, "it said\n{self:?}\nexpected\n{expected:?}");
    }

    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|it| panic!("{it}: {self:?}"))
    }
}

/// A process that is still there; ended by force when it is dropped.
pub(crate) struct Running {
    child: Child,
    out: Arc<Mutex<String>>,
    err: Arc<Mutex<String>>,
}

impl Running {
    pub(crate) fn new(mut command: Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let out = collect(child.stdout.take().unwrap());
        let err = collect(child.stderr.take().unwrap());
        Self { child, out, err }
    }

    pub(crate) fn out(&self) -> String {
        self.out.lock().unwrap().clone()
    }

    pub(crate) fn err(&self) -> String {
        self.err.lock().unwrap().clone()
    }

    /// Waits until stdout has this.
    #[track_caller]
    pub(crate) fn says(&mut self, text: &str) {
        let start = Instant::now();
        while !self.out().contains(text) {
            self.goes_on(start, text);
        }
    }

    /// Waits until stderr has this.
    #[track_caller]
    pub(crate) fn logs(&mut self, text: &str) {
        let start = Instant::now();
        while !self.err().contains(text) {
            self.goes_on(start, text);
        }
    }

    /// Waits until one line of stderr has all of these.
    #[track_caller]
    pub(crate) fn logs_line(&mut self, parts: &[&str]) {
        self.logs_lines(parts, 1);
    }

    /// The same for so many lines.
    #[track_caller]
    pub(crate) fn logs_lines(&mut self, parts: &[&str], n: usize) {
        let start = Instant::now();
        while self.lines_with(parts) < n {
            self.goes_on(start, &format!("{parts:?} in {n} lines"));
        }
    }

    /// How many lines of stderr have all of these.
    pub(crate) fn lines_with(&self, parts: &[&str]) -> usize {
        let err = self.err();
        err.lines().filter(|line| parts.iter().all(|it| line.contains(it))).count()
    }

    #[track_caller]
    fn goes_on(&mut self, start: Instant, text: &str) {
        let ended = self.child.try_wait().unwrap();
        if ended.is_some() || start.elapsed() > PATIENCE {
            // What it said last may be on the way.
            thread::sleep(Duration::from_millis(200));
            let (out, err) = (self.out(), self.err());
            let there = out.contains(text) || err.contains(text);
            assert!(there, "no `{text}` ({ended:?})\n--- stdout\n{out}--- stderr\n{err}---");
        }
        thread::sleep(Duration::from_millis(10));
    }

    /// Waits until stderr has this so many times.
    #[track_caller]
    pub(crate) fn logs_times(&mut self, text: &str, n: usize) {
        let start = Instant::now();
        while self.err().matches(text).count() < n {
            self.goes_on(start, &format!("{text}, {n} times"));
        }
    }

    /// SIGTERM, and a good end.
    #[track_caller]
    pub(crate) fn stops(&mut self) {
        self.signal("TERM");
        assert_eq!(self.code(), Some(0), "{}", self.err());
    }

    /// Sends a signal, by its name without SIG.
    pub(crate) fn signal(&self, name: &str) {
        let id = self.child.id().to_string();
        let sent = Command::new("kill").args(["-s", name, &id]).status().unwrap();
        assert!(sent.success(), "kill -s {name} {id}");
    }

    /// Waits for its end.
    #[track_caller]
    pub(crate) fn end(&mut self) -> ExitStatus {
        eventually("a process to end", || self.child.try_wait().unwrap())
    }

    /// The exit code, once it has ended by itself.
    #[track_caller]
    pub(crate) fn code(&mut self) -> Option<i32> {
        self.end().code()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended already.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn collect(stream: impl Read + Send + 'static) -> Arc<Mutex<String>> {
    let text: Arc<Mutex<String>> = Arc::default();
    let sink = Arc::clone(&text);
    thread::spawn(move || {
        let mut lines = BufReader::new(stream);
        let mut line = String::new();
        while lines.read_line(&mut line).is_ok_and(|n| n > 0) {
            sink.lock().unwrap().push_str(&line);
            line.clear();
        }
    });
    text
}

pub(crate) fn policy(statements: &[Value]) -> Value {
    json!({"Version": "2012-10-17", "Id": "default", "Statement": statements})
}

/// A service that may invoke `f`.
pub(crate) fn service(sid: &str, principal: &str, source_arn: &str) -> Value {
    json!({
        "Sid": sid, "Effect": "Allow", "Principal": {"Service": principal},
        "Action": "lambda:InvokeFunction", "Resource": FN,
        "Condition": {"ArnLike": {"AWS:SourceArn": source_arn}},
    })
}

/// An account that may invoke a function.
pub(crate) fn account_at(function: &str, sid: &str, id: &str) -> Value {
    let mut res = account(sid, id);
    res["Resource"] = json!(format!("{}{function}", FN.strip_suffix("f").unwrap()));
    res
}

/// An account that may invoke `f`.
pub(crate) fn account(sid: &str, id: &str) -> Value {
    json!({
        "Sid": sid, "Effect": "Allow", "Principal": {"AWS": format!("arn:aws:iam::{id}:root")},
        "Action": "lambda:InvokeFunction", "Resource": FN,
    })
}
