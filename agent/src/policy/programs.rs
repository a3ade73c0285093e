//! Every program that a text could run, read as bash reads it. What is run only in some cases is among them, and so is what a function
//! does that nobody calls. What cannot be told by reading is named by what would have to be allowed for it: `let` for arithmetic with
//! variables, whose values are worked out as well, and `eval` for all else.
use brush_parser::ast::{
    self, AndOr, Assignment, AssignmentName, AssignmentValue, Command, CommandPrefixOrSuffixItem, CompoundCommand,
    CompoundList, IoFileRedirectTarget, IoRedirect, RedirectList, SimpleCommand, Word,
};

use super::builtins;
use super::documents;
use super::words::{self, Found};
use super::wrappers::{self, Wrapped};

/// What has to be allowed for what cannot be told by reading.
pub const ANYTHING: &str = "eval";

/// What has to be allowed for arithmetic with variables.
const ARITHMETIC: &str = "let";

/// How deep commands may stand within commands.
const MAX_DEPTH: usize = 16;

/// How many brackets and quotes that nest a text may have: no line that a person reads has as many, and each may cost the parser stack
/// and time.
const MAX_OPENINGS: usize = 400;

const EXPANSION: &str = "a program that comes from an expansion";

/// A program that could be run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Used {
    /// As the text names it.
    pub program: String,
    /// Whether it is a file even if the shell does something of that name itself.
    pub is_file: bool,
    /// What of it is to be told, if what it runs cannot be.
    pub opaque: Option<String>,
}

impl Used {
    /// One that is what it is called.
    pub fn plain(program: &str) -> Self {
        Self {
            program: program.to_owned(),
            is_file: false,
            opaque: None,
        }
    }
}

/// The programs of a text, or why it cannot be read.
pub fn of(text: &str) -> Result<Vec<Used>, String> {
    let mut finder = Finder::default();
    finder.text(text)?;
    if finder.moves && finder.uses.iter().any(|used| is_relative(&used.program)) {
        finder.opaque(ANYTHING, "a relative path after a change of directory");
    }
    Ok(finder.uses)
}

fn is_relative(program: &str) -> bool {
    program.contains('/') && !program.starts_with('/')
}

fn is_plain_number(value: &AssignmentValue) -> bool {
    matches!(value, AssignmentValue::Scalar(word) if word.value.bytes().all(|byte| byte.is_ascii_digit()))
}

#[derive(Debug, Default)]
struct Finder {
    uses: Vec<Used>,
    depth: usize,
    /// Whether the directory may change.
    moves: bool,
}

type Done = Result<(), String>;

impl Finder {
    fn text(&mut self, text: &str) -> Done {
        if self.depth >= MAX_DEPTH {
            return Err("it is nested too deep".to_owned());
        }
        let openings = text.bytes().filter(|byte| b"({`".contains(byte)).count();
        if openings > MAX_OPENINGS {
            return Err("it is nested too deep".to_owned());
        }
        if documents::expands_beside(text) {
            self.opaque(ANYTHING, "an expansion beside a here-document");
        }
        if documents::comments_within(text) {
            self.opaque(ANYTHING, "a comment deep within brackets");
        }
        self.depth += 1;
        let program = words::parse(text)?;
        for list in &program.complete_commands {
            self.list(list)?;
        }
        self.depth -= 1;
        Ok(())
    }

    fn list(&mut self, list: &CompoundList) -> Done {
        for item in &list.0 {
            self.pipeline(&item.0.first)?;
            for next in &item.0.additional {
                match next {
                    AndOr::And(pipeline) | AndOr::Or(pipeline) => self.pipeline(pipeline)?,
                }
            }
        }
        Ok(())
    }

    fn pipeline(&mut self, pipeline: &ast::Pipeline) -> Done {
        pipeline.seq.iter().try_for_each(|command| self.command(command))
    }

    fn command(&mut self, command: &Command) -> Done {
        match command {
            Command::Simple(simple) => self.simple(simple),
            Command::Compound(compound, redirects) => {
                self.redirects(redirects.as_ref())?;
                self.compound(compound)
            }
            Command::Function(function) => {
                self.redirects(function.body.1.as_ref())?;
                self.compound(&function.body.0)
            }
            Command::ExtendedTest(test) => self.test(&test.expr),
        }
    }

    fn compound(&mut self, compound: &CompoundCommand) -> Done {
        match compound {
            CompoundCommand::Arithmetic(_) => {
                // The parser takes one subshell in another for it, too.
                self.opaque(ANYTHING, "an arithmetic command");
                Ok(())
            }
            CompoundCommand::ArithmeticForClause(clause) => {
                for expr in [&clause.initializer, &clause.condition, &clause.updater]
                    .into_iter()
                    .flatten()
                {
                    self.arithmetic(&expr.value)?;
                }
                self.list(&clause.body.list)
            }
            CompoundCommand::BraceGroup(group) => self.list(&group.list),
            CompoundCommand::Subshell(subshell) => self.list(&subshell.list),
            CompoundCommand::ForClause(clause) => {
                self.variable(&clause.variable_name);
                for word in clause.values.iter().flatten() {
                    self.word(word)?;
                }
                self.list(&clause.body.list)
            }
            CompoundCommand::CaseClause(clause) => {
                self.word(&clause.value)?;
                for case in &clause.cases {
                    for pattern in &case.patterns {
                        self.word(pattern)?;
                    }
                    if let Some(list) = &case.cmd {
                        self.list(list)?;
                    }
                }
                Ok(())
            }
            CompoundCommand::IfClause(clause) => {
                self.list(&clause.condition)?;
                self.list(&clause.then)?;
                for branch in clause.elses.iter().flatten() {
                    if let Some(condition) = &branch.condition {
                        self.list(condition)?;
                    }
                    self.list(&branch.body)?;
                }
                Ok(())
            }
            CompoundCommand::WhileClause(clause) | CompoundCommand::UntilClause(clause) => {
                self.list(&clause.0)?;
                self.list(&clause.1.list)
            }
            #[allow(
                unreachable_patterns,
                reason = "what the parser learns to read is not understood before it is here"
            )]
            _ => {
                self.opaque(ANYTHING, "a construct that is not understood");
                Ok(())
            }
        }
    }

    fn simple(&mut self, command: &SimpleCommand) -> Done {
        for item in command.prefix.iter().flat_map(|prefix| &prefix.0) {
            self.item(item)?;
        }
        // By its name as it is written, so that quotes make it a word like others to bash.
        let declares = command
            .word_or_name
            .as_ref()
            .is_some_and(|name| builtins::declares(&name.value));
        let mut arguments = Vec::new();
        for item in command.suffix.iter().flat_map(|suffix| &suffix.0) {
            self.item(item)?;
            match item {
                CommandPrefixOrSuffixItem::Word(word) => arguments.push(words::literal(&word.value)),
                CommandPrefixOrSuffixItem::AssignmentWord(assignment, word) => {
                    // Its name counts where it is one; elsewhere it is a word like others, and may become several.
                    let is_one = declares || words::is_one(&word.value);
                    let named = is_one.then(|| format!("{}=", assignment.name));
                    arguments.push(words::literal(&word.value).or(named));
                }
                CommandPrefixOrSuffixItem::ProcessSubstitution(..) => arguments.push(None),
                CommandPrefixOrSuffixItem::IoRedirect(_) => {}
            }
        }
        let Some(word) = &command.word_or_name else {
            return Ok(());
        };
        self.word(word)?;
        match words::literal(&word.value) {
            Some(program) => self.call(&program, &arguments, false),
            None => self.opaque(ANYTHING, EXPANSION),
        }
        Ok(())
    }

    fn item(&mut self, item: &CommandPrefixOrSuffixItem) -> Done {
        match item {
            CommandPrefixOrSuffixItem::IoRedirect(redirect) => self.redirect(redirect),
            CommandPrefixOrSuffixItem::Word(word) => self.word(word),
            CommandPrefixOrSuffixItem::AssignmentWord(assignment, _) => self.assignment(assignment),
            CommandPrefixOrSuffixItem::ProcessSubstitution(_, subshell) => self.list(&subshell.list),
        }
    }

    fn assignment(&mut self, assignment: &Assignment) -> Done {
        match &assignment.name {
            AssignmentName::VariableName(name) if builtins::is_number(name) && is_plain_number(&assignment.value) => {}
            AssignmentName::VariableName(name) => self.variable(name),
            AssignmentName::ArrayElementName(name, index) => {
                self.variable(name);
                self.arithmetic(index)?;
            }
        }
        match &assignment.value {
            AssignmentValue::Scalar(word) => self.word(word),
            AssignmentValue::Array(items) => {
                for (index, value) in items {
                    if let Some(index) = index {
                        self.arithmetic(&index.value)?;
                    }
                    self.word(value)?;
                }
                Ok(())
            }
        }
    }

    fn redirects(&mut self, list: Option<&RedirectList>) -> Done {
        list.iter()
            .flat_map(|list| &list.0)
            .try_for_each(|redirect| self.redirect(redirect))
    }

    fn redirect(&mut self, redirect: &IoRedirect) -> Done {
        match redirect {
            IoRedirect::File(_, _, target) => match target {
                // To bash the hyphen alone closes the descriptor, and what is glued to it is the next word.
                IoFileRedirectTarget::Duplicate(word) if word.value.len() > 1 && word.value.starts_with('-') => {
                    self.opaque(ANYTHING, "a descriptor that is closed with a word glued to it");
                    Ok(())
                }
                IoFileRedirectTarget::Filename(word) | IoFileRedirectTarget::Duplicate(word) => self.word(word),
                IoFileRedirectTarget::Fd(_) => Ok(()),
                IoFileRedirectTarget::ProcessSubstitution(_, subshell) => self.list(&subshell.list),
            },
            IoRedirect::HereDocument(_, document) => {
                // Quotes mean nothing there, so that it is no word.
                let expands = ["`", "$(", "${", "$["]
                    .iter()
                    .any(|begin| document.doc.value.contains(begin));
                if document.requires_expansion && expands {
                    self.opaque(ANYTHING, "an expansion within a here-document");
                }
                Ok(())
            }
            IoRedirect::HereString(_, word) | IoRedirect::OutputAndError(word, _) => self.word(word),
        }
    }

    fn test(&mut self, test: &ast::ExtendedTestExpr) -> Done {
        match test {
            ast::ExtendedTestExpr::And(one, other) | ast::ExtendedTestExpr::Or(one, other) => {
                self.test(one)?;
                self.test(other)
            }
            ast::ExtendedTestExpr::Not(one) | ast::ExtendedTestExpr::Parenthesized(one) => self.test(one),
            ast::ExtendedTestExpr::UnaryTest(predicate, word) => {
                use ast::UnaryPredicate::{ShellVariableIsSetAndAssigned, ShellVariableIsSetAndNameRef};
                if matches!(predicate, ShellVariableIsSetAndAssigned | ShellVariableIsSetAndNameRef) {
                    self.reference(words::literal(&word.value).as_deref());
                }
                self.word(word)
            }
            ast::ExtendedTestExpr::BinaryTest(predicate, one, other) => {
                use ast::BinaryPredicate as Is;
                if matches!(
                    predicate,
                    Is::ArithmeticEqualTo
                        | Is::ArithmeticNotEqualTo
                        | Is::ArithmeticLessThan
                        | Is::ArithmeticLessThanOrEqualTo
                        | Is::ArithmeticGreaterThan
                        | Is::ArithmeticGreaterThanOrEqualTo
                ) {
                    self.arithmetic(&one.value)?;
                    self.arithmetic(&other.value)?;
                }
                self.word(one)?;
                self.word(other)
            }
        }
    }

    /// What is within a word.
    fn word(&mut self, word: &Word) -> Done {
        let name = word.value.strip_prefix('{').and_then(|rest| rest.strip_suffix('}'));
        if let Some(name) = name {
            // `{name}>file` sets a variable.
            self.variable(name);
        }
        for found in words::look_into(&word.value)? {
            match found {
                Found::Command(text) => self.text(&text)?,
                Found::Arithmetic(expression) => self.arithmetic(&expression)?,
                Found::Variable(name) => self.variable(&name),
                Found::Anything(what) => self.opaque(ANYTHING, what),
            }
        }
        Ok(())
    }

    /// Arithmetic works out the values of variables, and what stands in brackets of those may run something.
    fn arithmetic(&mut self, expression: &str) -> Done {
        if expression.contains("$(") || expression.contains('`') {
            self.opaque(ANYTHING, "a command within arithmetic");
        }
        let plain = |c: char| c.is_ascii_digit() || c.is_ascii_whitespace() || "+-*/%()<>=!&|^~?:,".contains(c);
        if !expression.chars().all(plain) {
            self.opaque(ARITHMETIC, "arithmetic with more than numbers");
        }
        Ok(())
    }

    /// A variable is set.
    fn variable(&mut self, name: &str) {
        if builtins::is_decisive(name) {
            self.opaque(ANYTHING, "setting a variable that says what is run");
        }
        if builtins::is_number(name) {
            self.opaque(ARITHMETIC, "setting a variable whose value is worked out");
        }
    }

    /// A variable is named by a word that the shell reads once more.
    fn reference(&mut self, word: Option<&str>) {
        match word {
            None => self.opaque(ANYTHING, "the name of a variable that comes from an expansion"),
            Some(name) if name.contains('[') => self.opaque(ARITHMETIC, "arithmetic in the name of a variable"),
            Some(name) => self.variable(name.split(['=', '+']).next().unwrap_or_default()),
        }
    }

    fn opaque(&mut self, program: &str, what: &str) {
        let used = Used {
            opaque: Some(what.to_owned()),
            ..Used::plain(program)
        };
        if !self.uses.contains(&used) {
            self.uses.push(used);
        }
    }

    /// A program is called. An argument that is not plainly there is nothing.
    fn call(&mut self, program: &str, arguments: &[Option<String>], is_file: bool) {
        if program.starts_with('-') {
            // To bash it may be an option of what stands before it, such as `time --`.
            return self.opaque(ANYTHING, "a program that is named as an option is");
        }
        let name = program.rsplit('/').next().unwrap_or_default();
        let is_builtin = !is_file && !program.contains('/') && builtins::is_builtin(name);
        let is_opaque = wrappers::is_shell(name) || is_builtin && (builtins::is_opaque(name) || name == ARITHMETIC);
        self.uses.push(Used {
            program: program.to_owned(),
            is_file,
            opaque: is_opaque.then(|| format!("a text that {name} runs")),
        });
        if is_builtin {
            self.builtin(name, arguments);
        }
        if name == "find" {
            self.find(arguments);
        }
        let is_shadowed = !is_builtin && matches!(name, "exec" | "command" | "builtin");
        if let Some(wrapper) = wrappers::find(name).filter(|_| !is_shadowed) {
            let wrapped = wrapper.program(arguments);
            self.wrapped(name, wrapped, arguments);
        }
    }

    fn wrapped(&mut self, wrapper: &str, wrapped: Wrapped, arguments: &[Option<String>]) {
        let first = arguments.first().and_then(Option::as_deref);
        if wrapper == "command" && matches!(first, Some("-v" | "-V")) {
            // It says where one is.
            return;
        }
        // A relative path is one in the directory that it changes to.
        self.moves |= matches!(wrapper, "env" | "sudo" | "chroot");
        match wrapped {
            Wrapped::Nothing => {}
            Wrapped::Default(program) => self.call(program, &[], true),
            Wrapped::Unknown => self.opaque(ANYTHING, &format!("{wrapper}, called in a way that is not understood")),
            Wrapped::Program { at, assignments } => {
                for argument in assignments.iter().filter_map(|at| arguments.get(*at)?.as_deref()) {
                    self.variable(argument.split('=').next().unwrap_or_default());
                }
                let (before, rest) = arguments.split_at(at.min(arguments.len()));
                let Some((Some(program), rest)) = rest.split_first() else {
                    return self.opaque(ANYTHING, EXPANSION);
                };
                if wrapper == "time" && wrappers::begins_otherwise(program) {
                    return self.opaque(ANYTHING, "what time measures that is no plain command");
                }
                if wrapper == "xargs" {
                    let replaced =
                        |argument: &Option<String>| argument.as_ref().is_some_and(|text| text.ends_with(program));
                    if before.iter().any(replaced) {
                        return self.opaque(ANYTHING, "a program that xargs reads");
                    }
                    return self.with_more_arguments(wrapper, program, rest);
                }
                let is_file = !matches!(wrapper, "command" | "builtin");
                self.call(program, rest, is_file);
            }
        }
    }

    /// A program gets more arguments than are here. One that runs another may find it among them.
    fn with_more_arguments(&mut self, by: &str, program: &str, arguments: &[Option<String>]) {
        let name = program.rsplit('/').next().unwrap_or_default();
        if wrappers::find(name).is_some() || name == "find" || program.contains("{}") {
            self.opaque(ANYTHING, &format!("{name} with arguments that {by} gives it"));
        }
        self.call(program, arguments, true);
    }

    fn find(&mut self, arguments: &[Option<String>]) {
        if arguments.iter().any(Option::is_none) {
            return self.opaque(ANYTHING, "find with arguments that come from an expansion");
        }
        let words: Vec<&str> = arguments.iter().flatten().map(String::as_str).collect();
        for (at, word) in words.iter().enumerate() {
            if matches!(*word, "-exec" | "-execdir" | "-ok" | "-okdir")
                && let Some(program) = words.get(at + 1)
            {
                self.moves |= word.ends_with("dir");
                let rest = arguments.get(at + 2..).unwrap_or_default();
                self.with_more_arguments("find", program, rest);
            }
        }
    }

    fn builtin(&mut self, name: &str, arguments: &[Option<String>]) {
        self.moves |= matches!(name, "cd" | "pushd" | "popd");
        let option = |argument: &Option<String>| argument.as_ref().is_some_and(|text| text.starts_with(['-', '+']));
        if builtins::names_variables(name) {
            for argument in arguments {
                match argument.as_deref() {
                    Some(text) if option(argument) => {
                        if builtins::declares(name) && text.contains(['i', 'n']) {
                            self.opaque(ARITHMETIC, "variables whose values are worked out");
                        }
                        if name == "mapfile" || name == "readarray" || name == "wait" {
                            // `-C` runs something, and `-p` names a variable.
                            self.opaque_if(text.contains(['C', 'p']), &format!("{name} with that option"));
                        }
                    }
                    other => self.reference(other),
                }
            }
        }
        match name {
            "printf" => match arguments {
                [None, ..] => self.opaque(ANYTHING, "printf with a format that comes from an expansion"),
                [Some(first), rest @ ..] if first == "-v" => self.reference(rest.first().and_then(Option::as_deref)),
                [Some(first), ..] if first.starts_with("-v") => self.reference(first.get(2..)),
                _ => {}
            },
            "test" | "[" => {
                for pair in arguments.windows(2) {
                    let asks = pair[0].as_deref().is_none_or(|word| word == "-v" || word == "-R");
                    let names = pair[1].as_deref().is_none_or(|word| word.contains('['));
                    if asks && names {
                        self.opaque(ARITHMETIC, "a test of a variable whose name comes from an expansion");
                    }
                }
            }
            "set" => {
                let known = |argument: &Option<String>| {
                    let text = argument.as_deref().unwrap_or("-?");
                    let names = ["errexit", "nounset", "pipefail", "xtrace", "noglob", "noclobber"];
                    match text.strip_prefix(['-', '+']) {
                        Some(letters) => letters.chars().all(|letter| "euxfoC".contains(letter)),
                        None => names.contains(&text),
                    }
                };
                let end = arguments.iter().position(|argument| argument.as_deref() == Some("--"));
                let options = arguments.get(..end.unwrap_or(arguments.len())).unwrap_or_default();
                self.opaque_if(!options.iter().all(known), "set with options that are not understood");
            }
            "shopt" => {
                let known = |argument: &Option<String>| {
                    let names = [
                        "-s",
                        "-u",
                        "-q",
                        "nullglob",
                        "dotglob",
                        "globstar",
                        "failglob",
                        "nocaseglob",
                        "inherit_errexit",
                    ];
                    argument.as_deref().is_some_and(|text| names.contains(&text))
                };
                self.opaque_if(
                    !arguments.iter().all(known),
                    "shopt with options that are not understood",
                );
            }
            _ => {}
        }
    }

    fn opaque_if(&mut self, condition: bool, what: &str) {
        if condition {
            self.opaque(ANYTHING, what);
        }
    }
}
