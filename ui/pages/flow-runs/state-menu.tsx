import * as Menu from "@radix-ui/react-dropdown-menu";
import { type ShownState, StateGlyph } from "../../elements/state-glyph.tsx";

const STATES: readonly (readonly [ShownState, string])[] = [
  ["FAILED", "Failed"],
  ["CRASHED", "Crashed"],
  ["RUNNING", "Running"],
  ["PENDING", "Pending"],
  ["SCHEDULED", "Scheduled"],
  ["LATE", "Late"],
  ["COMPLETED", "Completed"],
  ["PAUSED", "Paused"],
  ["CANCELLING", "Cancelling"],
  ["CANCELLED", "Cancelled"],
];

export interface StateMenuProps {
  readonly states: readonly ShownState[];
  readonly onChange: (states: ShownState[]) => void;
}

export function StateMenu({ states, onChange }: StateMenuProps) {
  const text = STATES.flatMap(([state, name]) => (states.includes(state) ? [name] : [])).join(", ");
  return (
    <Menu.Root>
      <Menu.Trigger asChild>
        <button type="button" className="button">
          {text === "" ? "Any state" : text}
        </button>
      </Menu.Trigger>
      <Menu.Portal>
        <Menu.Content className="menu" align="start" sideOffset={4}>
          {STATES.map(([state, name]) => (
            <Menu.CheckboxItem
              key={state}
              className="menu-item"
              checked={states.includes(state)}
              onSelect={(event) => event.preventDefault()}
              onCheckedChange={(on) => onChange(on ? [...states, state] : states.filter((other) => other !== state))}
            >
              <span className="row">
                <StateGlyph state={state} />
                {name}
                <Menu.ItemIndicator>✓</Menu.ItemIndicator>
              </span>
            </Menu.CheckboxItem>
          ))}
        </Menu.Content>
      </Menu.Portal>
    </Menu.Root>
  );
}
