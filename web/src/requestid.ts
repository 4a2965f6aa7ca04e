// A name for a request that no other has; crypto.randomUUID exists on secure pages alone.

export interface RandomSource {
  getRandomValues(bytes: Uint8Array): Uint8Array;
  randomUUID?: () => string;
}

export function newRequestId(source: RandomSource): string {
  if (typeof source.randomUUID === 'function') {
    return source.randomUUID();
  }
  const bytes = source.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6]! & 0x0f) | 0x40; // version 4
  bytes[8] = (bytes[8]! & 0x3f) | 0x80; // the usual variant
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}
