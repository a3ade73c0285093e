# Sourced by fish after its own start-up files.
set -g __vsay_key_file '__VSAY_KEY_FILE__'

# Writes a mark to the terminal, whatever the shell's own output is. The secret is read anew for each, so that no list of
# variables or functions shows it.
function __vsay_mark
    set -l key
    read key <$__vsay_key_file 2>/dev/null
    and printf '\e]133;k=%s;%s\a' $key $argv[1] >/dev/tty 2>/dev/null
end

function __vsay_stopped
    jobs 2>/dev/null | string match -r '^\d+\t\d+\t(?:[^\t]*\t)?stopped\t' | count
end

function __vsay_begin --on-event fish_preexec
    set -l mark "C;d="(string escape --style=url -- $PWD)
    set -g __vsay_text $argv[1]
    set -g __vsay_were_stopped (__vsay_stopped)
    if set -q fish_private_mode; and test -n "$fish_private_mode"
        __vsay_mark "$mark;s=not_kept"
        return
    end
    set -l text (string sub --length __VSAY_MAX_TEXT__ -- "$argv[1]" | string collect)
    if test "$text" != "$argv[1]"
        set mark "$mark;cut=1"
    end
    __vsay_mark "$mark;t="(string escape --style=url -- "$text")
end

# fish says how the command before went where it does not know: after a command was stopped or put into the background, and
# after `fg`.
function __vsay_end --on-event fish_postexec
    set -l code $status
    set -l stopped (__vsay_stopped)
    set -l resumed (string match -r '^\s*fg\b' -- "$__vsay_text")
    if test $stopped -gt $__vsay_were_stopped; or test -n "$resumed" -a $stopped -gt 0 -a $stopped -eq $__vsay_were_stopped
        __vsay_mark 'D;s=stopped'
    else if test -n "$resumed"; or string match -rq '(^|[^&])&\s*$' -- "$__vsay_text"
        __vsay_mark D
    else
        __vsay_mark "D;x=$code"
    end
end

function __vsay_prompt --on-event fish_prompt
    __vsay_mark A
end
