import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Pencil, Plus, Trash2 } from "lucide-react";
import { useState } from "react";
import { api, type Schema } from "../../api/client";
import { rolesQuery } from "../../api/lists";
import { Button, IconButton } from "../../kit/button";
import { Confirm } from "../../kit/dialog";
import { CardHead, Tag, Tags } from "../../kit/facts";
import { Card } from "../../kit/page";
import { Failure, Loading } from "../../kit/states";
import { useToasts } from "../../kit/toast";
import { useMay } from "../../shell/me";
import styles from "./access.module.css";
import { RoleForm } from "./role-form";

type Role = Schema<"RoleView">;

/** All roles, and what each may do. */
export function Roles() {
  const may = useMay();
  const [editing, setEditing] = useState<Role | "new">();
  const [deleting, setDeleting] = useState<Role>();
  const roles = useQuery(rolesQuery);
  const write = may("tokens:write", "*");
  if (roles.error) return <Failure error={roles.error} retry={() => void roles.refetch()} />;
  if (!roles.data) return <Loading what="roles" />;
  return (
    <div className={styles.stack}>
      {write && (
        <div className={styles.right}>
          <Button kind="primary" icon={Plus} onClick={() => setEditing("new")}>
            New role
          </Button>
        </div>
      )}
      <div className={styles.roles}>
        {roles.data.items.map((role) => (
          <Card key={role.name}>
            <CardHead
              title={
                <>
                  {role.name} {role.built_in && <Tag>built in</Tag>}
                </>
              }
            >
              {write && !role.built_in && (
                <span>
                  <IconButton
                    icon={Pencil}
                    label={`Change ${role.name}`}
                    onClick={() => setEditing(role)}
                  />
                  <IconButton
                    icon={Trash2}
                    label={`Delete ${role.name}`}
                    onClick={() => setDeleting(role)}
                  />
                </span>
              )}
            </CardHead>
            <div className={styles.role}>
              {role.description && <p>{role.description}</p>}
              <Tags of={role.permissions} />
            </div>
          </Card>
        ))}
      </div>
      {editing && (
        <RoleForm
          before={editing === "new" ? undefined : editing}
          onClose={() => setEditing(undefined)}
        />
      )}
      {deleting && <Delete role={deleting} onClose={() => setDeleting(undefined)} />}
    </div>
  );
}

function Delete({ role, onClose }: { role: Role; onClose: () => void }) {
  const client = useQueryClient();
  const toasts = useToasts();
  const act = async () => {
    await api.DELETE("/api/v1/roles/{name}", { params: { path: { name: role.name } } });
    toasts.done(`The role ${role.name} is deleted`);
    await client.invalidateQueries({ queryKey: ["roles"] });
  };
  return (
    <Confirm
      title={`Delete the role ${role.name}?`}
      action="Delete"
      danger
      onConfirm={act}
      onClose={onClose}
    >
      <p>Tokens that have it may no longer do what it allowed. Their other roles stay.</p>
    </Confirm>
  );
}
