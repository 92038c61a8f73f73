import { memo } from "react";

/** What a control offers to choose from; hundreds of names are drawn anew only when they are others. */
export const Offers = memo(
  function Offers({ id, offers }: { id: string; offers: readonly string[] }) {
    return (
      <datalist id={id}>
        {offers.map((offer) => (
          <option key={offer} value={offer} />
        ))}
      </datalist>
    );
  },
  (before, after) =>
    before.id === after.id &&
    before.offers.length === after.offers.length &&
    before.offers.every((offer, at) => offer === after.offers[at]),
);
