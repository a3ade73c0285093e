/**
 * What draws a terminal. WebGL is the fastest where a graphics card does it. Where the processor pretends to be one, it has
 * less left for the terminal itself than when elements are drawn.
 */

/** Names of drivers that draw with the processor. */
const SOFTWARE = /swiftshader|llvmpipe|softpipe|lavapipe|basic render|software/i;

/** Whether a driver of this name draws with the processor. */
export function isSoftware(renderer: string): boolean {
  return SOFTWARE.test(renderer);
}

let decided: boolean | null = null;

/** Whether a graphics card would draw; looked at once. */
export function hasGpu(): boolean {
  decided ??= lookForGpu();
  return decided;
}

/** The card left us: it may do so again, and elements always work. */
export function giveGpuUp(): void {
  decided = false;
}

function lookForGpu(): boolean {
  const gl = document.createElement('canvas').getContext('webgl2', { failIfMajorPerformanceCaveat: true });
  if (!gl) return false;
  const names = gl.getExtension('WEBGL_debug_renderer_info');
  // Browsers that do not tell the driver's name tell at least a kind.
  const renderer = String(gl.getParameter(names?.UNMASKED_RENDERER_WEBGL ?? gl.RENDERER));
  // Browsers keep only a few contexts alive.
  gl.getExtension('WEBGL_lose_context')?.loseContext();
  return !isSoftware(renderer);
}
