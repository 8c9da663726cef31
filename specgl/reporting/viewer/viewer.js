// The viewer's controls: what is chosen, what is drawn, what is read out.
(() => {
  "use strict";

  const root = document.getElementById("specgl-viewer");
  if (root === null) return;
  const facts = JSON.parse(document.getElementById("specgl-viewer-facts").textContent);
  const find = (selector) => root.querySelector(selector);
  const part = (name) => find(`[data-part="${name}"]`);
  const said = find(".specgl-state");
  const stage = find(".specgl-stage");
  const canvas = find(".specgl-canvas canvas");
  const layouts = [...root.querySelectorAll("[data-layout]")];
  const axes = ["x", "y", "z"];
  const MINUS = "\u2212";

  // What is chosen. `map` has the facts of a map, `held` its values.
  const now = { contrast: null, map: null, held: null, threshold: 0, position: [0, 0, 0] };
  let volumes = null;
  let drawing = null;
  let tables = null;
  let starting = null;
  let choosing = 0;
  let cameFrom = null;

  const number = (value, digits = 3) => {
    const size = Math.abs(value);
    const text = size > 0 && size < 0.001 ? value.toExponential(1) : String(Number(value.toPrecision(digits)));
    return text.replaceAll("-", MINUS);
  };
  const millimetres = (value) => value.toFixed(1).replace(/^-(?=0\.0$)/, "").replace("-", MINUS);
  const option = (text, value) => Object.assign(document.createElement("option"), { textContent: text, value });
  const contrastOf = (name) => facts.contrasts.find((contrast) => contrast.name === name);

  // -- Reading out

  function valueInWords(value) {
    const voxel = volumes.voxelAt(now.position);
    if (!volumes.isInside(voxel)) return "outside the mask";
    if (Number.isNaN(value)) return "no value here";
    if (now.map.kind === "surviving" && value === 0) return "does not survive";
    // As many digits as the rounding of the embedded values leaves.
    const decimals = Math.min(Math.max(Math.ceil(-Math.log10(now.held.step)), 0), 6);
    const exact = Math.abs(value) >= 0.01 ? Number(value.toFixed(decimals)).toPrecision(4) : value.toPrecision(2);
    const text = `${now.map.symbol} = ${Number(exact)} ${now.map.unit}`.trim();
    return text.replaceAll("-", MINUS).replace("at least =", "at least");
  }

  const regionHere = () => volumes.regionAt(volumes.voxelAt(now.position));

  function readOut() {
    const place = axes.map((axis, at) => `${axis} ${millimetres(now.position[at])}`).join(", ");
    const value = valueInWords(now.held.valueAt(volumes.voxelAt(now.position)));
    const region = regionHere();
    find(".specgl-readout").textContent = `${place} mm: ${value}${region ? `; ${region}` : ""}`;
    canvas.setAttribute("aria-label", `Slices of the brain at ${place} mm. ${now.contrast.name}, ${now.map.label}: ${value}.`);
  }

  // -- The colour bar

  function colourAt(name, share) {
    const table = tables.get(name);
    const at = 3 * Math.round(255 * share);
    return [table[at], table[at + 1], table[at + 2], 255];
  }

  function drawBar() {
    const bar = find(".specgl-bar canvas");
    const image = new ImageData(bar.width, 1);
    const { colours } = now.map;
    const { top } = now.held;
    const signed = colours === "signed";
    for (let at = 0; at < bar.width; at += 1) {
      const along = (at + 0.5) / bar.width;
      const value = signed ? (2 * along - 1) * top : now.threshold + along * (top - now.threshold);
      const size = Math.abs(value);
      const share = top > now.threshold ? Math.min((size - now.threshold) / (top - now.threshold), 1) : 1;
      const table = signed ? (value < 0 ? "negative" : "positive") : colours;
      if (size >= now.threshold) image.data.set(colourAt(table, share), 4 * at);
    }
    bar.getContext("2d").putImageData(image, 0, 0);
    const low = signed ? -top : now.threshold;
    const inner = now.threshold < 0.15 * top ? [0] : [-now.threshold, now.threshold];
    find(".specgl-ticks").replaceChildren(...[low, ...(signed ? inner : []), top].map((value) => tick(value, low, top)));
    const name = `${now.map.symbol} ${now.map.unit}`.trim();
    const nothing = now.map.survives ? "No voxel survives." : "All values are 0.";
    find(".specgl-bar-name").textContent = top === 0 ? nothing : name;
    for (const element of [bar, find(".specgl-ticks")]) element.hidden = top === 0;
  }

  // A number below the bar, within its ends.
  function tick(value, low, high) {
    const element = Object.assign(document.createElement("span"), { textContent: number(value) });
    const share = high > low ? (value - low) / (high - low) : 0.5;
    element.style.left = `${100 * share}%`;
    element.style.transform = `translateX(${share < 0.02 ? 0 : share > 0.98 ? -100 : -50}%)`;
    return element;
  }

  // -- Choosing

  function setThreshold(value, from) {
    now.threshold = Math.min(Math.max(Number.isFinite(value) ? value : 0, 0), now.held.top);
    if (from !== "slider") part("slider").value = String(now.threshold);
    if (from !== "number") part("number").value = String(Number(now.threshold.toPrecision(3)));
    part("slider").setAttribute("aria-valuetext", `${number(now.threshold)} ${now.map.unit}`.trim());
    drawing.show(now.held, now.map.colours, now.threshold);
    drawBar();
  }

  async function choose(contrast, key) {
    const ticket = (choosing += 1);
    const map = contrast.maps.find((one) => one.key === key) ?? contrast.maps[0];
    const held = await volumes.load(map, contrast.maps.find((one) => one.key === "statistic"));
    if (ticket !== choosing) return; // another was chosen meanwhile
    if (now.contrast !== contrast) part("map").replaceChildren(...contrast.maps.map((one) => option(one.label, one.key)));
    Object.assign(now, { contrast, map, held });
    part("contrast").value = contrast.name;
    part("map").value = map.key;
    for (const control of [part("slider"), part("number")]) {
      control.max = String(held.top);
      control.disabled = held.top === 0;
    }
    part("slider").step = String(held.top / 200 || 1);
    setThreshold(held.start);
    readOut();
  }

  function layout(which) {
    for (const button of layouts) button.setAttribute("aria-pressed", String(button.dataset.layout === which));
    drawing.layout(which, which === "mosaic" ? mosaicRows() : null);
  }

  // Heights in mm of axial slices across the mask, as many in a row as the picture is wide for.
  function mosaicRows() {
    const corners = [0, 1].flatMap((a) => [0, 1].flatMap((b) => [0, 1].map((c) => [a, b, c])));
    const heights = corners.map((corner) =>
      corner.reduce((sum, end, at) => sum + facts.affine[2][at] * end * (facts.shape[at] - 1), facts.affine[2][3]),
    );
    const [low, high] = [Math.min(...heights), Math.max(...heights)];
    const columns = canvas.clientWidth < 600 ? 4 : 7;
    const rows = canvas.clientWidth < 600 ? 4 : 2;
    const count = high > low ? columns * rows : 1;
    const all = Array.from({ length: count }, (_, at) => (low + ((at + 0.5) / count) * (high - low)).toFixed(1));
    return Array.from({ length: Math.ceil(count / columns) }, (_, row) => all.slice(row * columns, (row + 1) * columns));
  }

  async function jump(element) {
    const mm = element.dataset.peak.trim().split(/[\s,]+/).map(Number);
    if (mm.length !== 3 || !mm.every(Number.isFinite)) return;
    cameFrom = element;
    const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
    root.scrollIntoView({ block: "start", behavior: calm ? "auto" : "smooth" });
    await start();
    if (drawing === null) return;
    const contrast = contrastOf(element.dataset.contrast) ?? now.contrast;
    if (contrast !== now.contrast) await choose(contrast, now.map.key);
    drawing.moveTo(mm);
    find(".specgl-back").hidden = false;
    canvas.focus({ preventScroll: true });
  }

  // -- Keys, wheel and touch

  // Axis and direction.
  const STEPS = {
    ArrowLeft: [0, -1],
    ArrowRight: [0, 1],
    ArrowDown: [1, -1],
    ArrowUp: [1, 1],
    PageDown: [2, -1],
    PageUp: [2, 1],
  };

  function onKey(event) {
    event.stopPropagation(); // NiiVue has keys of its own, which nobody expects
    const plain = event.type === "keydown" && !event.ctrlKey && !event.altKey && !event.metaKey;
    const step = plain ? STEPS[event.key] : undefined;
    if (step === undefined) return;
    event.preventDefault();
    const [axis, sign] = step;
    // As far as a voxel reaches along that axis of the space.
    const reach = Math.max(...facts.affine[axis].slice(0, 3).map(Math.abs));
    drawing.moveTo(now.position.map((value, at) => value + (at === axis ? sign * reach : 0)));
  }

  function listen() {
    part("contrast").addEventListener("change", () => choose(contrastOf(part("contrast").value), now.map.key));
    part("map").addEventListener("change", () => choose(now.contrast, part("map").value));
    part("slider").addEventListener("input", () => setThreshold(Number(part("slider").value), "slider"));
    part("number").addEventListener("input", () => setThreshold(Number(part("number").value), "number"));
    part("number").addEventListener("change", () => setThreshold(Number(part("number").value)));
    part("opacity").addEventListener("input", () => drawing.opacity(Number(part("opacity").value) / 100));
    part("radiological").addEventListener("change", () => drawing.radiological(part("radiological").checked));
    for (const button of layouts) button.addEventListener("click", () => layout(button.dataset.layout));
    find(".specgl-back button").addEventListener("click", () => {
      find(".specgl-back").hidden = true;
      cameFrom.focus();
      cameFrom.scrollIntoView({ block: "center" });
    });
    canvas.addEventListener("webglcontextlost", () => fail("it lost what was drawn"));
    const around = canvas.parentElement;
    // Caught on their way down, before NiiVue sees them.
    for (const type of ["keydown", "keyup"]) around.addEventListener(type, onKey, true);
    around.addEventListener("dblclick", (event) => event.stopPropagation(), true);
    around.addEventListener("mousedown", () => canvas.focus({ preventScroll: true }), true);
    // A page that is scrolled past the picture goes on scrolling.
    around.addEventListener("wheel", (event) => document.activeElement !== canvas && event.stopPropagation(), true);
  }

  // -- Starting

  // What the browser lacks; nothing where it can show the viewer.
  function lacking() {
    if (typeof DecompressionStream === "undefined") return "it cannot decompress data (DecompressionStream)";
    const context = document.createElement("canvas").getContext("webgl2");
    if (context === null) return "it has no WebGL 2";
    context.getExtension("WEBGL_lose_context")?.loseContext(); // there are only so many
    return "";
  }

  async function open() {
    volumes = await SpecglVolumes.open(facts);
    const bytes = await SpecglVolumes.read("tables");
    tables = new Map(facts.tables.map((name, at) => [name, bytes.subarray(768 * at, 768 * (at + 1))]));
    stage.hidden = false; // a canvas has a size only where it is shown
    let ready = false;
    drawing = await SpecglDrawing.open(canvas, tables, (mm) => {
      now.position = mm.map((value) => Math.round(1e4 * value) / 1e4); // NiiVue's are float32
      if (ready) readOut();
    });
    part("contrast").replaceChildren(...facts.contrasts.map(({ name }) => option(name, name)));
    await choose(facts.contrasts[0], "statistic");
    listen();
    ready = true;
    layout(plane());
    drawing.moveTo(facts.start ?? middle());
    drawing.redraw();
    said.hidden = true;
  }

  // A single slice is shown as such.
  function plane() {
    const flat = facts.shape.indexOf(1);
    if (flat < 0) return "planes";
    const reach = facts.affine.slice(0, 3).map((row) => Math.abs(row[flat]));
    return ["sagittal", "coronal", "axial"][reach.indexOf(Math.max(...reach))];
  }

  function middle() {
    const voxel = facts.shape.map((length) => Math.floor((length - 1) / 2));
    return axes.map((_, row) => voxel.reduce((sum, index, at) => sum + facts.affine[row][at] * index, facts.affine[row][3]));
  }

  function fail(why) {
    drawing = null;
    stage.hidden = true;
    said.hidden = false;
    said.textContent = `The viewer cannot run in this browser: ${why}. The figures of the page show the results without it.`;
  }

  function start() {
    if (starting === null) {
      const lack = lacking();
      said.textContent = "The viewer is loading.";
      starting = lack ? Promise.resolve(fail(lack)) : open().catch((error) => {
        console.error(error);
        fail(error.message);
      });
      starting.then(settle);
    }
    return starting;
  }

  let settle;
  const ready = new Promise((resolve) => { settle = () => resolve(drawing !== null); });

  said.textContent = "The viewer starts when it comes into view.";
  document.addEventListener("click", (event) => {
    const element = event.target instanceof Element ? event.target.closest("[data-peak]") : null;
    if (element !== null) jump(element);
  });
  document.addEventListener("keydown", (event) => {
    // Buttons and links make a click of Enter themselves.
    const element = event.key === "Enter" && event.target instanceof Element ? event.target.closest("[data-peak]") : null;
    if (element !== null && !element.matches("button, a[href]")) jump(element);
  });
  if (typeof IntersectionObserver === "undefined") {
    start();
  } else {
    const observer = new IntersectionObserver((entries) => {
      if (!entries.some((entry) => entry.isIntersecting)) return;
      observer.disconnect();
      start();
    }, { rootMargin: "300px" });
    observer.observe(root);
  }

  // For tests, and for whoever opens the console.
  window.specglViewer = {
    ready,
    start,
    canvas,
    get position() { return now.position; },
    get value() { return now.held ? now.held.valueAt(volumes.voxelAt(now.position)) : NaN; },
    get label() { return volumes ? regionHere() : ""; },
    get contrast() { return now.contrast ? now.contrast.name : null; },
    get map() { return now.map ? now.map.key : null; },
    get threshold() { return now.threshold; },
  };
})();
