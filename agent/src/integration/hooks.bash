# Sourced by a login bash in place of its start-up files: it is started in POSIX mode with ENV set, which both end here. What
# follows runs before the history is read, as those files do, and sources them as bash does itself. The agent has written
# the path of the secret into it, and removes both when the shell has ended.
\builtin unset ENV POSIXLY_CORRECT
\builtin shopt -u inherit_errexit
MAILCHECK=60
[[ ${HISTFILE-} != ~/.sh_history ]] || HISTFILE=~/.bash_history
__VSAY_RESTORE__
if [[ -r /etc/profile ]]; then . /etc/profile; fi
if [[ -r ~/.bash_profile ]]; then . ~/.bash_profile
elif [[ -r ~/.bash_login ]]; then . ~/.bash_login
elif [[ -r ~/.profile ]]; then . ~/.profile
fi

# PS0 and ${x@P} came with 4.4.
if ((BASH_VERSINFO[0] * 100 + BASH_VERSINFO[1] >= 404)); then
# A whole command is one entry of the history, with its lines.
\builtin shopt -s cmdhist lithist
__vsay_key_file='__VSAY_KEY_FILE__'
__vsay_traps_file='__VSAY_TRAPS_FILE__'

# Writes a mark to the terminal, whatever the shell's own output is. The secret is read anew for each, so that no list of
# variables or functions shows it.
__vsay_mark() {
  \builtin local key
  { \builtin read -r key <"$__vsay_key_file" && \builtin printf '\e]133;k=%s;%s\a' "$key" "$1" >/dev/tty; } 2>/dev/null || \builtin return 0
}

# What may not stand in a mark as it is. In __vsay_quoted, since a substitution would be a process more.
__vsay_quote() {
  \builtin local LC_ALL=C char code
  __vsay_quoted=${1//%/%25}
  __vsay_quoted=${__vsay_quoted//;/%3B}
  if [[ $__vsay_quoted == *[$'\001'-$'\037'$'\177']* ]]; then
    for code in 01 02 03 04 05 06 07 08 09 0A 0B 0C 0D 0E 0F 10 11 12 13 14 15 16 17 18 19 1A 1B 1C 1D 1E 1F 7F; do
      \builtin printf -v char "\\x$code"
      __vsay_quoted=${__vsay_quoted//"$char"/%$code}
    done
  fi
}

# A command begins: in a subshell, as PS0 is expanded. $1 is how the last one ended, which counts if it is still open.
__vsay_begin() {
  \builtin local code=$1 found entry number state= __vsay_quoted mark
  mark="C;x=$code"
  __vsay_quote "$PWD"
  mark+=";d=$__vsay_quoted"
  # Both in one process.
  found=$(HISTTIMEFORMAT= \builtin history 1; \builtin printf '\001'; \builtin exec stty -a </dev/tty 2>/dev/null)
  if [[ ${found##*$'\001'} =~ [[:space:]]-echo[[:space:]] ]]; then
    __vsay_mark "$mark;s=hidden"
    \builtin return
  fi
  entry=${found%$'\001'*}
  entry=${entry%$'\n'}
  if [[ $entry =~ ^\ *([0-9]+)[\ *]\ ?(.*)$ ]]; then
    number=${BASH_REMATCH[1]} entry=${BASH_REMATCH[2]}
    # The line before this one, unless the history has grown since the prompt by each line that was run.
    [[ -o history ]] && ((number == __vsay_next + __vsay_lines)) || state=';s=not_kept'
    if ((${#entry} > __VSAY_MAX_TEXT__)); then
      entry=${entry:0:__VSAY_MAX_TEXT__} state+=';cut=1'
    fi
    __vsay_quote "$entry"
    __vsay_mark "$mark$state;t=$__vsay_quoted"
  else
    __vsay_mark "$mark;s=not_kept"
  fi
}

# The first of what is done before a prompt. From 5.1 on bash keeps $? for the others; a function that fails would set off
# the user's own traps of errors.
__vsay_end() {
  { \builtin local code=$? -; \builtin set +xu; } 2>/dev/null
  # From here on until the prompt, whatever runs is what prompts do.
  ((__vsay_lines += 1))
  case $code in
  14[7-9] | 150)
    if [[ $(\builtin jobs -s %+ 2>/dev/null) ]]; then
      __vsay_mark "D;s=stopped"
    else
      __vsay_mark "D;x=$code"
    fi
    ;;
  *) __vsay_mark "D;x=$code" ;;
  esac
  __vsay_leave "$code"
}

__vsay_leave() {
  if [[ $- == *e* ]] || ((BASH_VERSINFO[0] * 100 + BASH_VERSINFO[1] >= 501)); then \builtin return 0; fi
  \builtin return "$1"
}

# The last: from here on the number of the history's next line tells whether another was kept.
__vsay_prompt() {
  { \builtin local code=$? -; \builtin set +xu; } 2>/dev/null
  __vsay_lines=0 __vsay_seen=0 __vsay_next=${HISTCMD-}
  __vsay_mark A
  __vsay_leave "$code"
}

# Something is about to run that no line announced, since nobody has pressed Return: a key that is bound to a command, or what
# was written in the editor that Ctrl-X Ctrl-E opens. $1 is the simple command.
__vsay_unsaid() {
  { \builtin local - text="$1" mark __vsay_quoted; \builtin set +xu; } 2>/dev/null
  if [[ ! ${READLINE_LINE+x} && $text != */bash-fc.* && ${BASH_SOURCE[1]-} != */bash-fc.* ]]; then \builtin return 0; fi
  __vsay_next=${HISTCMD-}
  if ((__vsay_seen++ > __VSAY_MAX_UNSAID__)); then \builtin return 0; fi
  __vsay_quote "$PWD"
  mark="U;d=$__vsay_quoted"
  if ((__vsay_seen <= __VSAY_MAX_UNSAID__)); then
    if ((${#text} > __VSAY_MAX_TEXT__)); then
      text=${text:0:__VSAY_MAX_TEXT__} mark+=';cut=1'
    fi
    __vsay_quote "$text"
    mark+=";t=$__vsay_quoted"
  fi
  __vsay_mark "$mark"
}

# The trap that notices it. It stands while bash reads a line and goes with the first command of that, so that loops run as
# fast as ever and `trap` shows nothing of it; one of the user's own takes its place. Run by a function, it is a part of theirs.
__vsay_debug='{ __vsay_argument=$_; if ((${__vsay_lines-1} == 0)); then __vsay_unsaid "$BASH_COMMAND"; elif [[ ! ${FUNCNAME-} ]]; then \builtin trap - DEBUG; fi; \builtin : "$__vsay_argument"; } 2>/dev/null'
# Whether there is one cannot be asked from within a function, and only a file can take the answer without a process more.
__vsay_watch='{ \builtin trap -p DEBUG >|"$__vsay_traps_file" && [[ ! -s $__vsay_traps_file && ! ${BLE_VERSION-} ]] && \builtin trap -- "$__vsay_debug" DEBUG; } 2>/dev/null'

# What stands behind the process is worked out in this shell: it counts the lines that run without a prompt between them.
__vsay_none= __vsay_next=0 __vsay_lines=0 __vsay_seen=0
PS0='$(__vsay_code=$?; { set +xu; } 2>/dev/null; __vsay_begin "$__vsay_code")${__vsay_none:__vsay_lines++:0}'"${PS0-}"
if ((BASH_VERSINFO[0] * 100 + BASH_VERSINFO[1] >= 501)); then
  PROMPT_COMMAND=(__vsay_end "${PROMPT_COMMAND[@]}" __vsay_prompt "$__vsay_watch")
else
  PROMPT_COMMAND="__vsay_end${PROMPT_COMMAND:+;$PROMPT_COMMAND};__vsay_prompt;$__vsay_watch"
fi
fi
