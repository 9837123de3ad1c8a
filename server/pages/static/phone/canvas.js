// @ts-check
/**
 * The two pictures that are painted frame by frame: lights behind the host, and confetti over a win.
 */

const LIGHTS = 22;
const PIECES = 90;
const CONFETTI_MS = 3_000;
const LIGHT_COLOURS = ["255,205,130", "255,140,110", "255,236,205"];
const PAPER = ["#ffd98a", "#ff5a48", "#fff2cf", "#f2bd55", "#ff9d8a"];
const FRAME_MS = 1000 / 30;

/**
 * @param {HTMLCanvasElement} canvas
 * @returns {{paint: CanvasRenderingContext2D, width: number, height: number}}
 */
function sized(canvas) {
  const dense = Math.min(2, devicePixelRatio || 1);
  const { clientWidth: width, clientHeight: height } = canvas;
  canvas.width = width * dense;
  canvas.height = height * dense;
  const paint = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  paint.scale(dense, dense);
  return { paint, width, height };
}

/**
 * Let lights drift behind the host; they stand still where motion is to be reduced.
 *
 * @param {HTMLCanvasElement} canvas
 * @param {boolean} calm
 * @param {() => boolean} busy whether something else needs the frames
 */
export function drift(canvas, calm, busy) {
  let { paint, width, height } = sized(canvas);
  new ResizeObserver(() => ({ paint, width, height } = sized(canvas))).observe(canvas);
  const lights = Array.from({ length: LIGHTS }, (_, i) => ({
    x: Math.random(),
    y: Math.random() * 0.8,
    radius: 5 + Math.random() * 20,
    rise: (0.06 + Math.random() * 0.18) / 844,
    colour: LIGHT_COLOURS[i % 3],
    bright: 0.07 + Math.random() * 0.16,
    turn: Math.random() * 6,
  }));
  let last = 0;
  const frame = (/** @type {number} */ now) => {
    if (!calm) requestAnimationFrame(frame);
    if (busy() || (now - last < FRAME_MS && last)) return;
    const passed = last ? Math.min(4, (now - last) / 16.7) : 1;
    last = now;
    paint.clearRect(0, 0, width, height);
    paint.globalCompositeOperation = "lighter";
    for (const light of lights) {
      light.y -= light.rise * passed;
      if (light.y < -0.04) light.y = 0.82;
      const alpha = light.bright * (0.7 + 0.3 * Math.sin(now / 1400 + light.turn));
      paint.fillStyle = paint.strokeStyle = `rgba(${light.colour},${alpha})`;
      paint.beginPath();
      paint.arc(light.x * width + Math.sin(now / 3000 + light.turn) * 12, light.y * height, light.radius, 0, 7);
      paint.fill();
      paint.stroke();
    }
  };
  requestAnimationFrame(frame);
}

/**
 * Throw confetti; the canvas goes when the last piece has.
 *
 * @param {HTMLCanvasElement} canvas
 */
export function celebrate(canvas) {
  const { paint, width, height } = sized(canvas);
  const pieces = Array.from({ length: PIECES }, (_, i) => {
    const angle = -Math.PI / 2 + (Math.random() - 0.5) * 2.6;
    const speed = 5 + Math.random() * 11;
    return {
      x: width / 2, y: height * 0.34, dx: Math.cos(angle) * speed, dy: Math.sin(angle) * speed,
      width: 5 + Math.random() * 6, height: 7 + Math.random() * 8,
      turn: Math.random() * 6, turning: (Math.random() - 0.5) * 0.3, colour: PAPER[i % PAPER.length],
    };
  });
  const start = performance.now();
  let last = start;
  const frame = (/** @type {number} */ now) => {
    const left = 1 - (now - start) / CONFETTI_MS;
    if (left <= 0 || !canvas.isConnected) {
      canvas.remove();
      return;
    }
    const steps = Math.min(4, Math.max(0, now - last) / 16.7);
    last = now;
    paint.clearRect(0, 0, width, height);
    paint.globalAlpha = Math.min(1, left * 3);
    for (const piece of pieces) {
      piece.dx *= 0.97 ** steps;
      piece.dy = Math.min(2.6, piece.dy * 0.97 ** steps + 0.16 * steps);
      piece.x += piece.dx * steps;
      piece.y += piece.dy * steps;
      piece.turn += piece.turning * steps;
      paint.save();
      paint.translate(piece.x, piece.y);
      paint.rotate(piece.turn);
      paint.scale(1, Math.cos(piece.turn * 2));
      paint.fillStyle = piece.colour;
      paint.fillRect(-piece.width / 2, -piece.height / 2, piece.width, piece.height);
      paint.restore();
    }
    requestAnimationFrame(frame);
  };
  requestAnimationFrame(frame);
}
