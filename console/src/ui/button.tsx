import type { ComponentProps } from "react";
import { Icon, type IconName } from "./icon.tsx";

interface ButtonProps extends ComponentProps<"button"> {
  readonly kind?: "primary" | "plain" | "quiet" | "danger";
  readonly icon?: IconName;
  /** Something it began is under way: it takes no second click, and keeps its focus. */
  readonly isBusy?: boolean;
}

export function Button({
  kind = "plain",
  icon,
  isBusy = false,
  className = "",
  children,
  onClick,
  type = "button",
  ...others
}: ButtonProps) {
  return (
    <button
      {...others}
      type={type}
      className={`button button--${kind} ${className}`}
      aria-disabled={isBusy || undefined}
      aria-busy={isBusy || undefined}
      onClick={(event) => {
        if (isBusy) event.preventDefault();
        else onClick?.(event);
      }}
    >
      {isBusy ? <span className="spinner" aria-hidden="true" /> : icon && <Icon name={icon} />}
      {children}
    </button>
  );
}

interface IconButtonProps extends Omit<ButtonProps, "icon" | "children"> {
  readonly icon: IconName;
  readonly label: string;
}

/** A button that shows only an icon; its name is read out and shown on hover. */
export function IconButton({ icon, label, className = "", ...others }: IconButtonProps) {
  return (
    <Button
      kind="quiet"
      {...others}
      icon={icon}
      aria-label={label}
      title={label}
      className={`button--icon ${className}`}
    />
  );
}
