//! Linux-PAM's library, found at run time. All that is `unsafe` in this program is here: the functions are called as
//! `security/pam_appl.h` declares them, and a [`Handle`] is one transaction, from its start to its end.
#![allow(unsafe_code)]
use std::error::Error;
use std::ffi::{CStr, CString, OsString, c_char, c_int, c_void};
use std::marker::PhantomData;
use std::os::unix::ffi::OsStringExt;
use std::ptr;

use libloading::Library;
use nix::libc;

use crate::texts::Texts;

/// The name that the library has had since Linux-PAM 0.99, with this interface.
const NAME: &str = "libpam.so.0";

/// What to do where it is not.
const REMEDY: &str = "for sessions of PAM install it (libpam0g on Debian and Ubuntu, pam on Fedora, RHEL and SUSE)";

/// Results, by the numbers of `security/_pam_types.h`.
const SUCCESS: c_int = 0;
const BUFFER_ERROR: c_int = 5;
const CONVERSATION_ERROR: c_int = 19;

/// Kinds of messages.
const ERROR_MESSAGE: c_int = 3;
const TEXT_INFO: c_int = 4;

/// Most messages at once (`PAM_MAX_NUM_MSG`).
const MOST_MESSAGES: c_int = 32;

/// Where [`Handle::set_credentials`] goes.
#[derive(Debug, Clone, Copy)]
pub enum Credentials {
    /// They are made.
    Establish = 2,
    /// They are taken away.
    Delete = 4,
}

/// Facts about a login.
#[derive(Debug, Clone, Copy)]
pub enum Item {
    /// The terminal.
    Terminal = 3,
    /// The host that somebody comes from.
    RemoteHost = 4,
    /// Who somebody is there.
    RemoteUser = 8,
}

/// Something that PAM said no to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault(pub String);

#[repr(C)]
struct Message {
    style: c_int,
    text: *const c_char,
}

#[repr(C)]
struct Response {
    text: *mut c_char,
    code: c_int,
}

#[repr(C)]
struct Conversation {
    talk: extern "C" fn(c_int, *mut *const Message, *mut *mut Response, *mut c_void) -> c_int,
    texts: *mut c_void,
}

/// What the library calls a transaction.
type Raw = *mut c_void;

type Start = unsafe extern "C" fn(*const c_char, *const c_char, *const Conversation, *mut Raw) -> c_int;
type StartWithDirectory =
    unsafe extern "C" fn(*const c_char, *const c_char, *const Conversation, *const c_char, *mut Raw) -> c_int;
type SetItem = unsafe extern "C" fn(Raw, c_int, *const c_void) -> c_int;
/// Those that take a transaction and flags, or its last result.
type Step = unsafe extern "C" fn(Raw, c_int) -> c_int;
type Words = unsafe extern "C" fn(Raw, c_int) -> *const c_char;
type Environment = unsafe extern "C" fn(Raw) -> *mut *mut c_char;

/// The functions that are used. They stay valid: the library is never unloaded.
#[derive(Debug, Clone, Copy)]
struct Functions {
    set_item: SetItem,
    account: Step,
    credentials: Step,
    open_session: Step,
    close_session: Step,
    end: Step,
    words: Words,
    environment: Environment,
}

/// A transaction.
#[derive(Debug)]
pub struct Handle<'a> {
    raw: Raw,
    functions: Functions,
    last: c_int,
    texts: PhantomData<&'a Texts>,
}

/// Begins a transaction for `user`. What modules say goes to `texts`; what they ask is answered by nobody. The first error is
/// that there is no PAM, the second that it cannot begin.
pub fn start<'a>(
    service: &str,
    user: &str,
    directory: Option<OsString>,
    texts: &'a Texts,
) -> Result<Result<Handle<'a>, Fault>, String> {
    let (library, functions) = load(NAME)?;
    let (Ok(service), Ok(user)) = (CString::new(service), CString::new(user)) else {
        return Ok(Err(Fault("a name holds a NUL".to_owned())));
    };
    let conversation = Conversation {
        talk: converse,
        texts: ptr::from_ref(texts).cast_mut().cast(),
    };
    let mut raw: Raw = ptr::null_mut();
    let result = match directory {
        None => {
            let start: Start = find(library, c"pam_start")?;
            // SAFETY: the strings end with NUL, the library copies them and the conversation, and writes to `raw` alone.
            unsafe { start(service.as_ptr(), user.as_ptr(), &conversation, &mut raw) }
        }
        Some(directory) => {
            let start: StartWithDirectory = find(library, c"pam_start_confdir")?;
            let Ok(directory) = CString::new(directory.into_vec()) else {
                return Ok(Err(Fault("a name holds a NUL".to_owned())));
            };
            // SAFETY: as above.
            unsafe {
                start(
                    service.as_ptr(),
                    user.as_ptr(),
                    &conversation,
                    directory.as_ptr(),
                    &mut raw,
                )
            }
        }
    };
    if result != SUCCESS || raw.is_null() {
        return Ok(Err(Fault(format!("PAM cannot start (error {result})"))));
    }
    Ok(Ok(Handle {
        raw,
        functions,
        last: SUCCESS,
        texts: PhantomData,
    }))
}

/// Whether this machine has PAM; the error says why it has none that can be used.
pub fn check() -> Result<(), String> {
    load(NAME).map(drop)
}

fn load(name: &str) -> Result<(&'static Library, Functions), String> {
    // SAFETY: the system's PAM library is trusted as the programs are that log people in: it runs initialisers of its own.
    let library = unsafe { Library::new(name) }.map_err(|error| format!("{}; {REMEDY}", words(&error)))?;
    // For as long as this process lives: modules may have left threads and handlers in it.
    let library: &'static Library = Box::leak(Box::new(library));
    let functions = Functions {
        set_item: find(library, c"pam_set_item")?,
        account: find(library, c"pam_acct_mgmt")?,
        credentials: find(library, c"pam_setcred")?,
        open_session: find(library, c"pam_open_session")?,
        close_session: find(library, c"pam_close_session")?,
        end: find(library, c"pam_end")?,
        words: find(library, c"pam_strerror")?,
        environment: find(library, c"pam_getenvlist")?,
    };
    Ok((library, functions))
}

fn find<T: Copy + 'static>(library: &'static Library, name: &CStr) -> Result<T, String> {
    // SAFETY: each caller names a function of PAM together with the type that its header declares.
    let found = unsafe { library.get::<T>(name.to_bytes_with_nul()) };
    found.map(|symbol| *symbol).map_err(|error| words(&error))
}

/// What the loader says: the error itself only tells which of its functions said it.
fn words(error: &libloading::Error) -> String {
    error.source().map_or_else(|| error.to_string(), ToString::to_string)
}

impl Handle<'_> {
    /// Tells modules a fact.
    pub fn set(&mut self, item: Item, value: &str) -> Result<(), Fault> {
        let value = CString::new(value).map_err(|_| Fault("a name holds a NUL".to_owned()))?;
        // SAFETY: the transaction lives, and the library copies the string, which ends with NUL.
        let result = unsafe { (self.functions.set_item)(self.raw, item as c_int, value.as_ptr().cast()) };
        self.check(result)
    }

    /// Asks whether the account may be used, here and now.
    pub fn account(&mut self) -> Result<(), Fault> {
        self.step(self.functions.account, 0)
    }

    /// Makes or deletes what the account can prove itself with, and what groups it has beyond those of the system.
    pub fn set_credentials(&mut self, what: Credentials) -> Result<(), Fault> {
        self.step(self.functions.credentials, what as c_int)
    }

    /// Opens a session.
    pub fn open_session(&mut self) -> Result<(), Fault> {
        self.step(self.functions.open_session, 0)
    }

    /// Closes the session.
    pub fn close_session(&mut self) -> Result<(), Fault> {
        self.step(self.functions.close_session, 0)
    }

    /// The variables that modules have set.
    pub fn environment(&mut self) -> Vec<(OsString, OsString)> {
        // SAFETY: the transaction lives.
        let list = unsafe { (self.functions.environment)(self.raw) };
        let mut variables = Vec::new();
        if list.is_null() {
            return variables;
        }
        let mut at = list;
        // SAFETY: the list ends with a null pointer, and what it points to ends with NUL. Both are the caller's to free, once.
        unsafe {
            while !(*at).is_null() {
                let entry = CStr::from_ptr(*at).to_bytes();
                if let Some(equals) = entry.iter().position(|byte| *byte == b'=').filter(|at| *at > 0) {
                    let owned = |bytes: &[u8]| OsString::from_vec(bytes.to_vec());
                    variables.push((owned(&entry[..equals]), owned(&entry[equals + 1..])));
                }
                libc::free((*at).cast());
                at = at.add(1);
            }
            libc::free(list.cast());
        }
        variables
    }

    fn step(&mut self, step: Step, argument: c_int) -> Result<(), Fault> {
        // SAFETY: the transaction lives, and all of these functions take it and a number.
        let result = unsafe { step(self.raw, argument) };
        self.check(result)
    }

    fn check(&mut self, result: c_int) -> Result<(), Fault> {
        self.last = result;
        if result == SUCCESS {
            return Ok(());
        }
        // SAFETY: the transaction lives, and the words are the library's own, which stay.
        let words = unsafe { (self.functions.words)(self.raw, result) };
        if words.is_null() {
            return Err(Fault(format!("error {result}")));
        }
        // SAFETY: they are a string that ends with NUL.
        let words = unsafe { CStr::from_ptr(words) };
        Err(Fault(words.to_string_lossy().into_owned()))
    }
}

impl Drop for Handle<'_> {
    fn drop(&mut self) {
        // SAFETY: the transaction lives until here, and nobody uses it any more.
        unsafe { (self.functions.end)(self.raw, self.last) };
    }
}

/// Takes in what modules say. Nobody is there to answer what they ask, so one that asks fails.
extern "C" fn converse(
    count: c_int,
    messages: *mut *const Message,
    responses: *mut *mut Response,
    texts: *mut c_void,
) -> c_int {
    if !(1..=MOST_MESSAGES).contains(&count) || messages.is_null() || responses.is_null() || texts.is_null() {
        return CONVERSATION_ERROR;
    }
    let count = count as usize;
    // SAFETY: what was given to the transaction, which does not outlive it.
    let texts = unsafe { &*texts.cast::<Texts>() };
    // SAFETY: Linux-PAM hands over an array of as many pointers to messages.
    let messages = unsafe { std::slice::from_raw_parts(messages, count) };
    for message in messages {
        // SAFETY: each points to a message, whose text ends with NUL.
        let (style, text) = unsafe {
            let Some(message) = message.as_ref().filter(|message| !message.text.is_null()) else {
                return CONVERSATION_ERROR;
            };
            (message.style, CStr::from_ptr(message.text))
        };
        match style {
            TEXT_INFO => texts.add(text.to_bytes()),
            ERROR_MESSAGE => texts.add_error(text.to_bytes()),
            _ => return CONVERSATION_ERROR,
        }
    }
    // SAFETY: the module frees what it gets with the C library's function. All zeros are answers without text.
    let answers = unsafe { libc::calloc(count, size_of::<Response>()) };
    if answers.is_null() {
        return BUFFER_ERROR;
    }
    // SAFETY: the module has given a place for this pointer.
    unsafe { *responses = answers.cast() };
    SUCCESS
}

#[cfg(test)]
mod tests {
    use super::*;

    const PROMPT: c_int = 1;

    #[test]
    fn a_machine_without_the_library_is_told_what_to_install() {
        let Err(words) = load("libnobody-has-this.so.0") else {
            panic!("there is such a library");
        };
        assert!(words.contains("libnobody-has-this.so.0"), "{words}");
        assert!(words.contains("install it (libpam0g"), "{words}");
    }

    /// What a module gets that says these messages.
    fn say(messages: &[(c_int, &CStr)], texts: &Texts) -> (c_int, Option<*mut Response>) {
        let messages: Vec<Message> = messages
            .iter()
            .map(|(style, text)| Message {
                style: *style,
                text: text.as_ptr(),
            })
            .collect();
        let mut pointers: Vec<*const Message> = messages.iter().map(ptr::from_ref).collect();
        let mut responses = ptr::null_mut();
        let texts = ptr::from_ref(texts).cast_mut().cast();
        let count = c_int::try_from(messages.len()).unwrap();
        let result = converse(count, pointers.as_mut_ptr(), &mut responses, texts);
        (result, (!responses.is_null()).then_some(responses))
    }

    #[test]
    fn texts_are_taken_in_and_a_question_is_answered_by_nobody() {
        let texts = Texts::default();
        let (result, responses) = say(&[(TEXT_INFO, c"welcome"), (ERROR_MESSAGE, c"and mind")], &texts);
        let responses = responses.expect("a place for answers");
        // SAFETY: there are as many as messages, and they are ours to free.
        let empty = unsafe {
            let empty = (0..2).all(|at| (*responses.add(at)).text.is_null());
            libc::free(responses.cast());
            empty
        };
        assert_eq!(
            (result, empty, texts.take()),
            (SUCCESS, true, b"welcome\nand mind\n".to_vec())
        );
        for messages in [
            &[(PROMPT, c"Password: ")][..],
            &[(TEXT_INFO, c"so"), (PROMPT, c"?")],
            &[],
        ] {
            assert_eq!(say(messages, &texts), (CONVERSATION_ERROR, None));
        }
        assert_eq!(
            say(&[(TEXT_INFO, c"x"); MOST_MESSAGES as usize + 1], &texts),
            (CONVERSATION_ERROR, None)
        );
    }
}
