//! A terminal for the real program: a pty, and a screen that reads what it draws.

use std::io::{Read, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};

use crate::program::{Workplace, program, wait_until};

/// A program on a terminal.
pub(crate) struct Terminal {
    master: Option<Box<dyn MasterPty + Send>>,
    keys: Option<Box<dyn Write + Send>>,
    child: Box<dyn Child + Send + Sync>,
    seen: Arc<Mutex<Seen>>,
    reader: Option<JoinHandle<()>>,
    /// Set to make the reader let go of the terminal at the next bytes.
    gone: Arc<AtomicBool>,
    /// How the terminal treated its lines before the program came.
    modes: String,
}

/// What the program has drawn.
struct Seen {
    parser: vt100::Parser,
    raw: Vec<u8>,
}

impl Terminal {
    /// Starts `pellucid` with `args` on a terminal of 80x24.
    pub(crate) fn pellucid(place: &Workplace, args: &[impl AsRef<str>]) -> Self {
        Self::with(place, args, &[])
    }

    /// As [`Terminal::pellucid`], with `variables` in the environment.
    pub(crate) fn with(place: &Workplace, args: &[impl AsRef<str>], variables: &[(&str, &str)]) -> Self {
        let mut command = CommandBuilder::new(program("pellucid"));
        command.args(args.iter().map(AsRef::as_ref));
        Self::in_place(place, command, variables)
    }

    /// Runs `script` in a shell, which has `args`, on a terminal of 80x24.
    pub(crate) fn shell(place: &Workplace, script: &str, args: impl Iterator<Item = String>) -> Self {
        let mut command = CommandBuilder::new("/bin/sh");
        command.args(["-c", script, "sh"]);
        command.args(args);
        Self::in_place(place, command, &[])
    }

    fn in_place(place: &Workplace, mut command: CommandBuilder, variables: &[(&str, &str)]) -> Self {
        command.cwd(place.path());
        command.env_remove("NO_COLOR");
        for (name, value) in place.environment() {
            command.env(name, value);
        }
        for (name, value) in [("TERM", "xterm-256color"), ("COLORTERM", "truecolor"), ("LC_ALL", "C.UTF-8")] {
            command.env(name, value);
        }
        for (name, value) in variables {
            command.env(name, value);
        }
        Self::start(command)
    }

    fn start(command: CommandBuilder) -> Self {
        let pair = native_pty_system().openpty(size(80, 24)).unwrap();
        let modes = modes(pair.master.as_ref());
        let child = pair.slave.spawn_command(command).unwrap();
        let mut output = pair.master.try_clone_reader().unwrap();
        let keys = pair.master.take_writer().unwrap();
        let seen = Arc::new(Mutex::new(Seen { parser: vt100::Parser::new(24, 80, 0), raw: Vec::new() }));
        let shared = Arc::clone(&seen);
        let gone = Arc::new(AtomicBool::new(false));
        let let_go = Arc::clone(&gone);
        let reader = std::thread::spawn(move || {
            let mut bytes = [0; 4096];
            while let Ok(count @ 1..) = output.read(&mut bytes) {
                if let_go.load(Ordering::Relaxed) {
                    return;
                }
                let mut seen = shared.lock().unwrap();
                seen.parser.process(&bytes[..count]);
                seen.raw.extend_from_slice(&bytes[..count]);
            }
        });
        Self { master: Some(pair.master), keys: Some(keys), child, seen, reader: Some(reader), gone, modes }
    }

    /// Types `keys`.
    pub(crate) fn send(&mut self, keys: &str) {
        let writer = self.keys.as_mut().unwrap();
        writer.write_all(keys.as_bytes()).and_then(|()| writer.flush()).unwrap();
    }

    /// What is on the screen.
    pub(crate) fn text(&self) -> String {
        self.seen.lock().unwrap().parser.screen().contents()
    }

    /// Every byte that came.
    pub(crate) fn raw(&self) -> Vec<u8> {
        self.seen.lock().unwrap().raw.clone()
    }

    /// Waits until the screen shows `text`.
    pub(crate) fn wait_for(&self, text: &str) {
        self.wait_until(&format!("`{text}`"), |screen| screen.contains(text));
    }

    /// Waits until the screen is such that `holds`.
    pub(crate) fn wait_until(&self, what: &str, holds: impl Fn(&str) -> bool) {
        let _dump = Dump(Arc::clone(&self.seen));
        wait_until(what, || holds(&self.text()));
    }

    /// Changes the size, as a user who drags the window does.
    pub(crate) fn resize(&self, columns: u16, rows: u16) {
        self.seen.lock().unwrap().parser.screen_mut().set_size(rows, columns);
        self.master.as_ref().unwrap().resize(size(columns, rows)).unwrap();
    }

    /// Takes the terminal away, as a lost SSH connection does. The program must be drawing.
    pub(crate) fn hang_up(&mut self) {
        self.gone.store(true, Ordering::Relaxed);
        self.keys = None;
        self.master = None;
        self.reader.take().unwrap().join().unwrap();
    }

    /// Seconds of processor time that the program has used; all of them once it has ended and was not waited for.
    #[cfg(target_os = "linux")]
    pub(crate) fn processor_seconds(&self) -> f64 {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.pid())).unwrap();
        let (_, fields) = stat.rsplit_once(") ").unwrap();
        // Fields 14 and 15 of the whole line: in the program and in the kernel.
        let ticks: u64 = fields.split(' ').skip(11).take(2).map(|field| field.parse::<u64>().unwrap()).sum();
        ticks as f64 / rustix::param::clock_ticks_per_second() as f64
    }

    /// The program's process.
    pub(crate) fn pid(&self) -> u32 {
        self.child.process_id().unwrap()
    }

    /// Waits for the program's end and gives its exit code.
    pub(crate) fn exit_code(&mut self) -> u32 {
        let mut code = None;
        let _dump = Dump(Arc::clone(&self.seen));
        wait_until("the end of the program", || {
            code = self.child.try_wait().unwrap().map(|status| status.exit_code());
            code.is_some()
        });
        code.unwrap()
    }

    /// Waits until the terminal is as a shell wants it: the last bytes may come after the program's end.
    pub(crate) fn wait_until_restored(&self) {
        wait_until("a restored terminal", || self.is_restored());
    }

    fn is_restored(&self) -> bool {
        let seen = self.seen.lock().unwrap();
        let screen = seen.parser.screen();
        let mouse = screen.mouse_protocol_mode() != vt100::MouseProtocolMode::None;
        let lines = self.master.as_ref().is_none_or(|master| modes(master.as_ref()) == self.modes);
        lines && !screen.alternate_screen() && !screen.hide_cursor() && !screen.bracketed_paste() && !mouse
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.child.kill();
        // The reader ends with the terminal; should anybody still hold that, it is left behind.
        drop(self.reader.take());
    }
}

/// Prints the screen when a wait fails.
struct Dump(Arc<Mutex<Seen>>);

impl Drop for Dump {
    fn drop(&mut self) {
        if std::thread::panicking()
            && let Ok(seen) = self.0.lock()
        {
            eprintln!("the screen was:\n{}", seen.parser.screen().contents());
        }
    }
}

/// Echo, line editing and their like.
fn modes(master: &dyn MasterPty) -> String {
    format!("{:?}", master.get_termios().unwrap())
}

fn size(columns: u16, rows: u16) -> PtySize {
    PtySize { rows, cols: columns, pixel_width: 0, pixel_height: 0 }
}
