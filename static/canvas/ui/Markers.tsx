// Arrowheads, one for each colour a wire can have.
const TONES = ["plain", "error", "passed", "implicit", "selected"];

export function Markers() {
  return (
    <svg className="ed-markers" aria-hidden="true" width={0} height={0}>
      <defs>
        {TONES.map((tone) => (
          <marker key={tone} id={`arrow-${tone}`} className={`arrow arrow-${tone}`} viewBox="0 0 10 10" refX={8} refY={5} markerWidth={9} markerHeight={9} markerUnits="userSpaceOnUse" orient="auto-start-reverse">
            <path d="M1,1 L9,5 L1,9 Z" />
          </marker>
        ))}
      </defs>
    </svg>
  );
}
