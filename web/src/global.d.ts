interface Window {
  /** The active terminal, while one is shown. For tests and support; see features/terminals/TerminalPage.svelte. */
  vsayTerminal?: { readonly text: string };
}
