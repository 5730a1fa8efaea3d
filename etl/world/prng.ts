/**
 * sfc32: a small, fast generator (Doty-Humphrey, PractRand) of 32-bit numbers with integer arithmetic only, so that every
 * machine draws the same. One per chunk, seeded by what identifies the chunk.
 */
export class Prng {
  #a: number;
  #b: number;
  #c: number;
  #counter = 1;

  /** @param words whole numbers below 2^53 that identify the stream. */
  constructor(...words: number[]) {
    // Two chains, so that streams are told apart by 64 bits.
    let a = 0x9e3779b9;
    let b = 0x85ebca6b;
    for (const word of words) {
      for (const half of [word, Math.floor(word / 4_294_967_296)]) {
        a = mix(a ^ half);
        b = mix(Math.imul(b, 0x9e3779b1) ^ half);
      }
    }
    this.#a = a;
    this.#b = b;
    this.#c = mix(a ^ 0xc2b2ae35);
    for (let i = 0; i < 12; i++) {
      this.u32();
    }
  }

  /** A uniform unsigned 32-bit number. */
  u32(): number {
    const t = (((this.#a + this.#b) | 0) + this.#counter) | 0;
    this.#counter = (this.#counter + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = (((this.#c << 21) | (this.#c >>> 11)) + t) | 0;
    return t >>> 0;
  }

  /** Uniform in [0, 1). */
  unit(): number {
    return this.u32() * 2.3283064365386963e-10;
  }

  /** Uniform whole number in [0, n), n ≤ 2^21 or so (the bias is n / 2^32). */
  below(n: number): number {
    return Math.floor(this.u32() * 2.3283064365386963e-10 * n);
  }
}

/** A bijective 32-bit mixer (murmur3's finaliser). */
export function mix(value: number): number {
  let h = value | 0;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return h ^ (h >>> 16);
}
