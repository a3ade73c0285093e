import { afterEach, describe, expect, it, vi } from 'vitest';

/** The module anew, as on a page whose browser has this driver; `null`: none that is worth it. */
async function on(renderer: string | null): Promise<typeof import('./renderer')> {
  vi.resetModules();
  const gl = {
    RENDERER: 1,
    getExtension: (name: string) => (name === 'WEBGL_debug_renderer_info' ? { UNMASKED_RENDERER_WEBGL: 2 } : null),
    getParameter: (name: number) => (name === 2 ? renderer : 'WebKit WebGL'),
  };
  const getContext = vi.fn((_: string, options: WebGLContextAttributes) =>
    renderer === null || options.failIfMajorPerformanceCaveat !== true ? null : gl,
  );
  vi.stubGlobal('document', { createElement: () => ({ getContext }) });
  return import('./renderer');
}

afterEach(() => {
  vi.unstubAllGlobals();
});

describe('what draws a terminal', () => {
  it.each([
    'ANGLE (Google, Vulkan 1.3.0 (SwiftShader Device (Subzero) (0x0000C0DE)), SwiftShader driver)',
    'llvmpipe (LLVM 15.0.6, 256 bits)',
    'ANGLE (Microsoft, Microsoft Basic Render Driver (0x0000008C) Direct3D11)',
    'Mesa/X.org, softpipe',
    'Apple Software Renderer',
    null,
  ])('is not the processor in the place of a card: %s', async (renderer) => {
    expect((await on(renderer)).hasGpu()).toBe(false);
  });

  it.each([
    'ANGLE (Intel, Mesa Intel(R) UHD Graphics 620 (KBL GT2), OpenGL 4.6)',
    'ANGLE (Apple, ANGLE Metal Renderer: Apple M2, Unspecified Version)',
    'ANGLE (NVIDIA, NVIDIA GeForce RTX 3060 Direct3D11 vs_5_0 ps_5_0, D3D11)',
  ])('is a card where there is one, until it is lost: %s', async (renderer) => {
    const { hasGpu, giveGpuUp } = await on(renderer);
    expect(hasGpu()).toBe(true);
    giveGpuUp();
    expect(hasGpu()).toBe(false);
  });
});
