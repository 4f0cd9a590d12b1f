//! Help, completion scripts and manual pages, generated from the command line's own definition.

use clap::CommandFactory;
use clap_complete::Shell;
use clap_mangen::Man;
use pellucid_client::failure::{Ending, Failure};

use crate::cli::Cli;
use crate::stdout;

/// The help, for a start with neither a command nor a terminal.
pub(super) fn help() -> Result<Ending, Failure> {
    stdout::bytes(Cli::command().render_help().to_string().as_bytes()).map(|()| Ending::Done)
}

/// `pellucid completions`.
pub(super) fn completions(shell: Shell) -> Result<Ending, Failure> {
    let shells = clap_complete::env::Shells::builtins();
    let known = shells.completer(&shell.to_string());
    let known = known.ok_or_else(|| Failure::Usage(format!("there are no completions for {shell}")))?;
    let mut script = Vec::new();
    // The script asks the program itself, which knows the names of the runs.
    known.write_registration("COMPLETE", "pellucid", "pellucid", "pellucid", &mut script)?;
    stdout::bytes(&script).map(|()| Ending::Done)
}

/// `pellucid man`.
pub(super) fn man(command: Option<&str>) -> Result<Ending, Failure> {
    stdout::bytes(&page(command)?).map(|()| Ending::Done)
}

fn page(command: Option<&str>) -> Result<Vec<u8>, Failure> {
    let mut program = Cli::command();
    program.build();
    let chosen = match command {
        None => program,
        Some(name) => {
            let found = program.find_subcommand(name).cloned();
            let missing = || Failure::Usage(format!("no command `{name}`; `pellucid help` lists them"));
            let found = found.ok_or_else(missing)?;
            found.display_name(format!("pellucid-{name}"))
        }
    };
    let mut page = Vec::new();
    Man::new(chosen).render(&mut page)?;
    Ok(page)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_shell_has_a_script() {
        for shell in <Shell as clap::ValueEnum>::value_variants() {
            completions(*shell).unwrap();
        }
    }

    #[test]
    fn every_command_has_a_page() {
        for command in Cli::command().get_subcommands() {
            let page = String::from_utf8(page(Some(command.get_name())).unwrap()).unwrap();
            assert!(page.contains(".SH NAME"), "{}", command.get_name());
        }
        assert!(String::from_utf8(page(None).unwrap()).unwrap().contains("pellucid"));
        assert_eq!(page(Some("fly")).unwrap_err().code(), 2);
    }
}
