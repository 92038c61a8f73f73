import { LogOut, Monitor, Moon, Sun, UserRound } from "lucide-react";
import { NavLink } from "react-router";
import { forgetToken } from "../api/token";
import { IconButton } from "../kit/button";
import { useMay, useMe } from "./me";
import { PLACES, type Place } from "./places";
import styles from "./shell.module.css";
import { choose, type Theme, useTheme } from "./theme";

/** The way to all pages; under it light or dark, and who is signed in. */
export function Nav({ narrow }: { narrow: boolean }) {
  const may = useMay();
  const groups = PLACES.map((group) => group.filter(({ needs }) => needs.some((it) => may(it))));
  return (
    <>
      <nav aria-label="Pages" className={styles.nav}>
        {groups.map(
          (group) =>
            group.length > 0 && (
              <ul key={group[0]?.to}>
                {group.map((place) => (
                  <li key={place.to}>
                    <PlaceLink place={place} narrow={narrow} />
                  </li>
                ))}
              </ul>
            ),
        )}
      </nav>
      <div className={styles.sideFoot}>
        <ThemeSwitch />
        <Who />
      </div>
    </>
  );
}

function PlaceLink({ place, narrow }: { place: Place; narrow: boolean }) {
  const { to, label, icon: Icon } = place;
  return (
    <NavLink
      to={to}
      end={to === "/"}
      className={styles.place ?? ""}
      {...(narrow && { title: label })}
    >
      <Icon size={18} aria-hidden />
      <span>{label}</span>
    </NavLink>
  );
}

const THEMES: readonly [Theme, string, typeof Sun][] = [
  ["system", "As the system", Monitor],
  ["light", "Light", Sun],
  ["dark", "Dark", Moon],
];

function ThemeSwitch() {
  const theme = useTheme();
  return (
    <fieldset className={styles.themes}>
      <legend className="visually-hidden">Light or dark</legend>
      {THEMES.map(([name, label, Icon]) => (
        <button
          key={name}
          type="button"
          aria-pressed={theme === name}
          aria-label={label}
          title={label}
          onClick={() => choose(name)}
        >
          <Icon size={15} aria-hidden />
        </button>
      ))}
    </fieldset>
  );
}

/** Whose token is shown; nothing where the server asks nobody. */
function Who() {
  const { data: me } = useMe();
  if (!me?.access_control) return null;
  return (
    <div className={styles.who} title={`${me.name}: ${me.roles.join(", ")}`}>
      <UserRound size={18} aria-hidden />
      <span className={styles.whoText}>
        <strong>{me.name}</strong>
        <span>{me.roles.join(", ")}</span>
      </span>
      <IconButton icon={LogOut} label="Sign out" onClick={forgetToken} />
    </div>
  );
}
