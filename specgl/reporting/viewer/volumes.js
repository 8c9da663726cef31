// Blocks of the page into volumes: the counterpart of volumes.py. The first axis runs fastest.
const SpecglVolumes = (() => {
  "use strict";

  // A block of base64 as bytes.
  function decode(name) {
    const text = atob(document.getElementById(`specgl-block-${name}`).textContent.trim());
    const bytes = new Uint8Array(text.length);
    for (let at = 0; at < text.length; at += 1) bytes[at] = text.charCodeAt(at);
    return bytes;
  }

  // A block as the bytes that were compressed into it.
  async function read(name) {
    const stream = new Blob([decode(name)]).stream().pipeThrough(new DecompressionStream("gzip"));
    return new Uint8Array(await new Response(stream).arrayBuffer());
  }

  // Flags, eight a byte, the first in the lowest bit.
  function flags(bytes, count) {
    const made = new Uint8Array(count);
    for (let at = 0; at < count; at += 1) made[at] = (bytes[at >> 3] >> (at & 7)) & 1;
    return made;
  }

  // Codes of the mask's voxels, put back into the box: what three neighbours let one expect, and the difference.
  function unpack(bytes, inside, shape) {
    const [width, height] = shape;
    const codes = new Int16Array(inside.length);
    const high = bytes.length / 2;
    let next = 0;
    for (let at = 0; at < inside.length; at += 1) {
      if (!inside[at]) continue;
      const row = at % width > 0;
      const column = Math.floor(at / width) % height > 0;
      const expected =
        (row ? codes[at - 1] : 0) + (column ? codes[at - width] : 0) - (row && column ? codes[at - width - 1] : 0);
      const folded = bytes[next] | (bytes[high + next] << 8);
      codes[at] = expected + ((folded >>> 1) ^ -(folded & 1)); // an Int16Array wraps around, as numpy did
      next += 1;
    }
    return codes;
  }

  // Flags of the mask's voxels, put back into the box.
  function scatter(held, inside) {
    const made = new Uint8Array(inside.length);
    let next = 0;
    for (let at = 0; at < inside.length; at += 1) {
      if (!inside[at]) continue;
      made[at] = held[next];
      next += 1;
    }
    return made;
  }

  // What a page holds: the mask, the regions, and maps that are read when they are first shown.
  async function open(facts) {
    const [width, height, depth] = facts.shape;
    const size = width * height * depth;
    const inside = flags(await read("mask"), size);
    const count = inside.reduce((sum, flag) => sum + flag, 0);
    const regions = facts.regions.length ? new Uint16Array((await read("regions")).buffer) : null;
    const known = new Map();

    // Index of the voxel that a place in mm lies in; -1 outside the box.
    function voxelAt(mm) {
      const [i, j, k] = facts.toVoxel
        .slice(0, 3)
        .map((row) => Math.round(row[0] * mm[0] + row[1] * mm[1] + row[2] * mm[2] + row[3]));
      const within = i >= 0 && j >= 0 && k >= 0 && i < width && j < height && k < depth;
      return within ? i + width * (j + height * k) : -1;
    }

    async function codesOf(map) {
      if (!known.has(map.block)) known.set(map.block, unpack(await read(map.block), inside, facts.shape));
      return known.get(map.block);
    }

    // A map: its values as they are drawn (0 where there is none), and the value at a voxel (NaN where none).
    async function load(map, statistic) {
      const source = map.block ? map : statistic;
      const codes = await codesOf(source);
      const survives = map.survives ? scatter(flags(await read(map.survives), count), inside) : inside;
      const drawn = new Float32Array(size);
      let [least, most] = [Infinity, 0];
      for (let at = 0; at < size; at += 1) {
        if (!survives[at] || codes[at] === source.missing) continue;
        drawn[at] = codes[at] * source.step;
        if (drawn[at] !== 0) least = Math.min(least, Math.abs(drawn[at]));
        most = Math.max(most, Math.abs(drawn[at]));
      }
      const valueAt = (voxel) =>
        voxel < 0 || !inside[voxel] || codes[voxel] === source.missing
          ? NaN
          : survives[voxel] ? codes[voxel] * source.step : 0;
      // What survives is seen from its smallest value on; nothing but 0 has no threshold.
      const start = map.survives ? least : map.start;
      return { drawn, valueAt, step: source.step, top: most, start: start < most ? start : 0 };
    }

    return {
      load,
      voxelAt,
      isInside: (voxel) => voxel >= 0 && inside[voxel] === 1,
      regionAt: (voxel) => (regions === null || voxel < 0 ? "" : facts.regions[regions[voxel]]),
    };
  }

  return { open, read };
})();
