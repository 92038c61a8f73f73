import { refusal } from "../../../api/client";
import { token } from "../../../api/token";

/** Saves a whole log as a file. */
export async function saveLog(path: string, name: string): Promise<void> {
  const headers = new Headers();
  const shown = token();
  if (shown) headers.set("authorization", `Bearer ${shown}`);
  const response = await fetch(path, { headers });
  if (!response.ok) throw await refusal(response);
  const address = URL.createObjectURL(await response.blob());
  const link = document.createElement("a");
  link.href = address;
  link.download = name;
  link.click();
  URL.revokeObjectURL(address);
}
