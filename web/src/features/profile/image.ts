/** A picture from somebody's disk, made ready to be sent. */
import { ApiError } from '../../api/error';

/** Width and height of what is sent, in pixels: enough for the largest place it is shown at, on a fine screen. */
const EDGE = 256;

/** Of 0 to 1; a smaller file would show it. */
const QUALITY = 0.9;

/** What is sent, and what an `<img>` shows of it meanwhile. */
export interface Chosen {
  file: Blob;
  preview: string;
}

/** The square in the middle of a picture, no larger than it is shown. Where it was taken, and with what, is lost on the way. */
export async function prepare(source: Blob): Promise<Chosen> {
  const bitmap = await createImageBitmap(source).catch(() => {
    throw unreadable();
  });
  const canvas = document.createElement('canvas');
  const square = middle(bitmap.width, bitmap.height);
  canvas.width = canvas.height = square.to;
  const pen = canvas.getContext('2d');
  if (!pen) throw unreadable();
  pen.imageSmoothingQuality = 'high';
  pen.drawImage(bitmap, square.x, square.y, square.side, square.side, 0, 0, square.to, square.to);
  bitmap.close();
  // A browser that writes no WebP writes PNG.
  const file = await new Promise<Blob | null>((resolve) => canvas.toBlob(resolve, 'image/webp', QUALITY));
  if (!file) throw unreadable();
  return { file, preview: await asDataUrl(file) };
}

/** The largest square in the middle of a picture, and how large it becomes. */
export function middle(width: number, height: number): { x: number; y: number; side: number; to: number } {
  const side = Math.min(width, height);
  return { x: (width - side) / 2, y: (height - side) / 2, side, to: Math.min(side, EDGE) };
}

/** Pages of ours show no `blob:` addresses. */
function asDataUrl(file: Blob): Promise<string> {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(String(reader.result));
    reader.onerror = () => reject(unreadable());
    reader.readAsDataURL(file);
  });
}

function unreadable(): ApiError {
  return new ApiError('This browser cannot read that file as a picture. Try a PNG or JPEG file.', 0);
}
