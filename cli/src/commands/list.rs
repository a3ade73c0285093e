//! `vsay list`
use protocol::api::machines::Machine;

use super::say;
use crate::client::{Client, status_word};
use crate::error::Error;

/// Prints a line per machine.
pub async fn run(client: &Client) -> Result<(), Error> {
    let machines = client.machines().await?;
    if machines.is_empty() {
        return say("No machines yet.");
    }
    say(table(&machines).trim_end())
}

fn table(machines: &[Machine]) -> String {
    let mut rows = vec![["NAME", "STATUS", "AGENT ID", "SYSTEM"].map(str::to_owned)];
    rows.extend(machines.iter().map(|machine| {
        [
            printable(&machine.name),
            status_word(machine.status).to_owned(),
            machine.agent_id.to_string(),
            printable(&machine.os),
        ]
    }));
    let width = |column: usize| {
        rows.iter()
            .map(|row| row[column].chars().count())
            .max()
            .unwrap_or_default()
    };
    let widths = [width(0), width(1), width(2)];
    rows.iter()
        .map(|[name, status, agent_id, os]| {
            let line = format!(
                "{name:0$}  {status:1$}  {agent_id:2$}  {os}",
                widths[0], widths[1], widths[2]
            );
            format!("{}\n", line.trim_end())
        })
        .collect()
}

/// A name comes from whoever made the machine: escape sequences in it must not reach the terminal.
fn printable(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() { '\u{FFFD}' } else { c })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use protocol::api::machines::MachineStatus;

    #[test]
    fn the_columns_line_up_and_control_characters_are_not_printed() {
        let machine = |name: &str, status: MachineStatus| {
            let sample = serde_json::from_str(include_str!("../../../protocol/fixtures/api/machine.json")).unwrap();
            Machine {
                name: name.to_owned(),
                status,
                ..sample
            }
        };
        let machines = [
            machine("web", MachineStatus::Online),
            machine("a\u{1b}[2Jlonger", MachineStatus::Pending),
        ];
        let text = table(&machines);
        assert_eq!(
            text,
            "NAME         STATUS   AGENT ID      SYSTEM\n\
             web          online   00000000000a  Debian 12 x86_64\n\
             a\u{FFFD}[2Jlonger  pending  00000000000a  Debian 12 x86_64\n"
        );
    }
}
