import type { DemoToken } from './config';
import { ANONYMOUS } from './identity';

interface RoleSwitchProps {
  demoTokens: DemoToken[];
  role: string;
  /** A pasted token is in use; choosing a role lets go of it. */
  overridden: boolean;
  onRole(role: string): void;
}

const OVERRIDDEN = '';

/** Chooses the demo token to call with. */
export function RoleSwitch({ demoTokens, role, overridden, onRole }: RoleSwitchProps) {
  return (
    <label className="playground-field">
      <span>Role</span>
      <select value={overridden ? OVERRIDDEN : role} onChange={(event) => onRole(event.target.value)}>
        {overridden && (
          <option value={OVERRIDDEN} disabled>
            of the pasted token
          </option>
        )}
        {demoTokens.map(({ title }) => (
          <option key={title} value={title}>
            {title}
          </option>
        ))}
        <option value={ANONYMOUS}>{ANONYMOUS}</option>
      </select>
    </label>
  );
}
