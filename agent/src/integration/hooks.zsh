# The .zshenv of a zsh that is started with ZDOTDIR naming the directory this lies in. That ends here, so that everything
# behind it is as in any login.
__VSAY_RESTORE__
if [[ -r ${ZDOTDIR-$HOME}/.zshenv ]]; then . "${ZDOTDIR-$HOME}/.zshenv"; fi

if [[ -o interactive ]]; then
typeset -g __vsay_key_file='__VSAY_KEY_FILE__'

# Writes a mark to the terminal, whatever the shell's own output is. The secret is read anew for each, so that no list of
# variables or functions shows it.
__vsay_mark() {
  local key
  { read -r key <$__vsay_key_file && printf '\e]133;k=%s;%s\a' "$key" "$1" >/dev/tty } 2>/dev/null
}

# What may not stand in a mark as it is, in REPLY.
__vsay_quote() {
  local LC_ALL=C code char
  REPLY=${1//\%/%25}
  REPLY=${REPLY//;/%3B}
  if [[ $REPLY == *[$'\001'-$'\037'$'\177']* ]]; then
    for code in 01 02 03 04 05 06 07 08 09 0A 0B 0C 0D 0E 0F 10 11 12 13 14 15 16 17 18 19 1A 1B 1C 1D 1E 1F 7F; do
      printf -v char "\\x$code"
      REPLY=${REPLY//$char/%$code}
    done
  fi
}

# A command begins. $1 is what the history has of it, or would have; $3 is what runs.
__vsay_begin() {
  { emulate -L zsh; unsetopt xtrace } 2>/dev/null
  local REPLY text=${1:-$3} mark=C
  __vsay_quote $PWD
  mark+=";d=$REPLY"
  if ((${#text} > __VSAY_MAX_TEXT__)); then
    text=${text[1,__VSAY_MAX_TEXT__]} mark+=';cut=1'
  fi
  __vsay_quote "$text"
  __vsay_mark "$mark;t=$REPLY"
}

# Before a prompt.
__vsay_end() {
  { local code=$?; emulate -L zsh; unsetopt xtrace } 2>/dev/null
  if [[ $code == (14[789]|150) && -n ${(M)jobstates:#suspended:+*} ]]; then
    __vsay_mark 'D;s=stopped'
  else
    __vsay_mark "D;x=$code"
  fi
  __vsay_mark A
}

typeset -ga precmd_functions preexec_functions
precmd_functions+=(__vsay_end)
preexec_functions+=(__vsay_begin)
fi
