// What is done with NiiVue: one underlay, one map upon it, a crosshair. Nothing else in the page knows NiiVue.
const SpecglDrawing = (() => {
  "use strict";

  const OPTIONS = {
    logLevel: "error",
    loadingText: "",
    dragAndDropEnabled: false, // a page of results opens no other images
    dragMode: 0, // the right button does nothing
    viewModeHotKey: "",
    clipPlaneHotKey: "",
    cycleClipPlaneHotKey: "",
    backColor: [0, 0, 0, 1],
    fontColor: [0.9, 0.9, 0.9, 1],
    crosshairColor: [0.35, 0.95, 0.45, 0.9],
    crosshairWidth: 1.2, // thinner lines fall between the pixels of a phone
    crosshairWidthUnit: "mm",
    crosshairGap: 4,
    show3Dcrosshair: true,
    multiplanarShowRender: 0, // drawing it is slow without a graphics card
    multiplanarPadPixels: 4,
    showAllOrientationMarkers: true,
    isRadiologicalConvention: false,
    isNearestInterpolation: true,
  };

  const PLANES = { planes: 3, axial: 0, coronal: 1, sagittal: 2, render: 4 };

  // NiiVue's class: its text is compressed in the page, and may run because the page's policy has its hash.
  async function load() {
    if (!globalThis.specglNiivue) {
      const element = document.createElement("script");
      element.textContent = new TextDecoder().decode(await SpecglVolumes.read("niivue"));
      document.head.append(element);
      element.remove();
    }
    if (!globalThis.specglNiivue) throw new Error("the browser did not run NiiVue");
    return globalThis.specglNiivue;
  }

  function colourMap(bytes) {
    const channel = (which) => Array.from({ length: 256 }, (_, at) => bytes[3 * at + which]);
    const indices = Array.from({ length: 256 }, (_, at) => at);
    return { R: channel(0), G: channel(1), B: channel(2), A: indices.map((at) => (at ? 255 : 0)), I: indices };
  }

  async function open(canvas, tables, moved) {
    const Niivue = await load();
    const niivue = new Niivue(OPTIONS);
    niivue.resetBriCon = () => {}; // a long touch would change the greys, with no way back
    // Voxels of a map stay voxels, and do not bleed into each other; what lies beneath is smooth.
    const interpolate = niivue.updateInterpolation.bind(niivue);
    niivue.updateInterpolation = (layer, linear = false) => interpolate(layer, linear || layer === 0);
    // On paper, and wherever else it is not shown, the canvas has no size, and WebGL warns of that.
    const resize = niivue.resizeListener.bind(niivue);
    niivue.resizeListener = () => {
      if (canvas.offsetWidth > 0 && canvas.offsetHeight > 0) resize();
    };
    await niivue.attachToCanvas(canvas, false);
    for (const [name, bytes] of tables) niivue.addColormap(`specgl-${name}`, colourMap(bytes));
    const add = async (name, options) => {
      const { buffer } = await SpecglVolumes.read(name);
      return niivue.addVolumeFromUrl({ buffer, name: `${name}.nii`, url: `${name}.nii`, ...options });
    };
    await add("underlay", { colormap: "gray", cal_min: 0, cal_max: 255 });
    const overlay = await add("overlay", { colormap: "specgl-positive", cal_min: 0, cal_max: 1 });
    niivue.onLocationChange = ({ mm }) => moved(Array.from(mm).slice(0, 3));

    let waiting = 0;
    let opacity = 1;

    function redraw() {
      cancelAnimationFrame(waiting);
      waiting = 0;
      niivue.updateGLVolume();
    }

    return {
      redraw,
      // Another map, or the same with another threshold; what is as large as the threshold is drawn.
      show({ drawn, step, top }, colours, threshold) {
        const signed = colours === "signed";
        const name = `specgl-${signed ? "positive" : colours}`;
        if (overlay.colormap !== name) overlay.colormap = name; // this also guesses a range
        overlay.colormapNegative = signed ? "specgl-negative" : "";
        if (overlay.specglDrawn !== drawn) overlay.img.set(drawn);
        overlay.specglDrawn = drawn;
        overlay.cal_min = Math.max(threshold - step / 4, 0);
        overlay.cal_max = Math.max(top, overlay.cal_min + step);
        overlay.opacity = opacity;
        if (!waiting) waiting = requestAnimationFrame(redraw);
      },
      opacity(share) {
        opacity = share;
        overlay.opacity = share;
        if (!waiting) waiting = requestAnimationFrame(redraw);
      },
      moveTo(mm) {
        niivue.scene.crosshairPos = niivue.mm2frac(mm, 0, true);
        niivue.createOnLocationChange();
        niivue.drawScene();
      },
      // One of PLANES, or positions in mm along z, row by row.
      layout(which, rows) {
        niivue.opts.sliceMosaicString = rows ? `A L+ ${rows.map((row) => row.join(" ")).join(" ; ")}` : "";
        niivue.opts.centerMosaic = true;
        niivue.setSliceType(rows ? PLANES.axial : PLANES[which]);
      },
      radiological(on) {
        niivue.setRadiologicalConvention(on);
      },
    };
  }

  return { open };
})();
