interface Window {
  /** The active terminal, while one is shown. For tests and support; see features/terminal/TerminalPage.svelte. */
  vsayTerminal?: { readonly text: string };
}
