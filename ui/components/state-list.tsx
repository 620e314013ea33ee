import type { State } from "#protocol/states";
import { durationText, exactText } from "../elements/spans.ts";
import { StateBadge } from "../elements/state-badge.tsx";

/** States in their order, with how long each lasted. */
export function StateList({ states }: { readonly states: readonly State[] }) {
  return (
    <div className="table-scroll">
      <table>
        <thead>
          <tr>
            <th scope="col">State</th>
            <th scope="col">At</th>
            <th scope="col">Lasted</th>
            <th scope="col">Message</th>
          </tr>
        </thead>
        <tbody>
          {states.map((state, index) => (
            <tr key={state.id}>
              <td>
                <StateBadge type={state.type} name={state.name} />
              </td>
              <td>{exactText(Date.parse(state.timestamp))}</td>
              <td>{lasted(state, states[index + 1])}</td>
              <td className="quiet message">{state.message}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function lasted(state: State, next: State | undefined): string {
  return next ? durationText((Date.parse(next.timestamp) - Date.parse(state.timestamp)) / 1_000) : "–";
}
